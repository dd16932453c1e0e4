"""Distances of types, against a slow and obvious count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.proposing.free_types import FreeType, free_types
from kazu_distill.proposing.likeness import described, distances
from tests.proposing.typed import typed

labelled = st.lists(
    st.tuples(st.sampled_from(["p53", "P53", "EGFR", "mice", "gout"]), st.sampled_from(["gene", "protein", "animal"])),
    min_size=1,
    max_size=20,
)


def slow_distances(types: list[FreeType]) -> NDArray[np.float64]:
    """Span by span, from one type to another."""
    apart = np.zeros((len(types), len(types)))
    for row, one in enumerate(types):
        for column, other in enumerate(types):
            rarer, commoner = sorted((one, other), key=lambda each: each.spans)
            spans = [mention.casefold() for mention, count in rarer.mentions for _ in range(count)]
            known = {mention.casefold() for mention, _ in commoner.mentions}
            share = sum(mention in known for mention in spans) / (len(spans) + 2)
            apart[row, column] = 0 if row == column else 1 - share
    return apart


@given(labelled)
def test_without_vectors_common_mentions_count(mentions: list[tuple[str, str]]) -> None:
    types = free_types([typed(*mentions)])
    found, slow = distances(types, None), slow_distances(types)
    assert np.allclose(found, found.T)
    assert not found.diagonal().any()
    # Of two types with as many spans either may be the rarer one.
    assert (found <= slow + 1e-9).all()
    assert np.allclose(found, np.minimum(slow, slow.T))


def test_either_witness_brings_types_near() -> None:
    types = free_types([typed(*[("p53", "gene")] * 9, *[("p53", "protein")] * 8, *[("mice", "animal")] * 7)])
    alike = np.array([[1, 0], [0, 1], [3, 0]], np.float32)  # of gene, protein, animal
    apart = distances(types, alike)
    assert apart[0, 1] == pytest.approx(1 - 8 / 10)  # by the mentions, although the vectors know of nothing
    assert apart[0, 2] == pytest.approx(0)  # by the vectors, whatever their length
    assert apart[1, 2] == pytest.approx(1)


def test_a_type_is_described_by_its_name_and_its_most_frequent_mentions() -> None:
    (drug,) = free_types([typed(("aspirin", "drug"), ("aspirin", "drug"), ("5-FU", "drug"))])
    assert described(drug) == "drug: aspirin, 5-FU"
