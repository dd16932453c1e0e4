"""Which types become one class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.proposing.free_types import free_types
from kazu_distill.proposing.proposal import Proposal, propose
from tests.proposing.typed import typed

GENES = [*[("p53", "gene")] * 9, *[("p53", "protein")] * 8, *[("EGFR", "gene")] * 4]
ANIMALS = [*[("mice", "animal")] * 7, *[("Mice", "species")] * 6, *[("rat", "species")] * 3]


def classes_of(proposal: Proposal) -> dict[str, list[str]]:
    return {each.name: [own.name for own in each.types] for each in proposal.classes}


def test_types_of_the_same_mentions_become_a_class_called_after_the_most_frequent() -> None:
    proposal = propose(free_types([typed(*GENES, *ANIMALS)]), None, least=5, distance=0.4)
    assert classes_of(proposal) == {"gene": ["gene", "protein"], "species": ["species", "animal"]}
    gene, species = proposal.classes
    assert (gene.spans, gene.mentions) == (21, [("p53", 17), ("EGFR", 4)])
    assert species.mentions == [("mice", 13), ("rat", 3)]
    assert not proposal.left_out


def test_a_rare_type_joins_the_class_that_it_is_near_to_or_is_left_out() -> None:
    rare = [*[("p53", "tumour suppressor")] * 4, ("mass", "measurement"), ("p53", "antigen")]
    types = free_types([typed(*GENES, *ANIMALS, *rare)])
    proposal = propose(types, None, least=5, distance=0.4)
    assert classes_of(proposal)["gene"] == ["gene", "protein", "tumour suppressor"]
    assert {each.name for each in proposal.left_out} == {"measurement", "antigen"}, "one coincidence proves nothing"


def test_a_number_of_classes_can_be_asked_for() -> None:
    types = free_types([typed(*GENES, *ANIMALS)])
    assert len(propose(types, None, least=1, distance=0.4, classes=1).classes) == 1
    assert len(propose(types, None, least=1, distance=0.4, classes=4).classes) == 4


def test_a_single_type_is_a_class() -> None:
    assert classes_of(propose(free_types([typed(("mice", "animal"))]), None, least=1, distance=0.4)) == {
        "animal": ["animal"]
    }


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"least": 0}, "least=0"),
        ({"least": 1000}, "the most frequent one has 16"),
        ({"distance": 0}, "distance=0"),
        ({"distance": 1.0}, "everything is one class"),
        ({"classes": 0}, "classes=0"),
        ({"classes": 2.5}, "classes=2.5"),
    ],
)
def test_settings_that_cannot_be_are_errors(settings: dict[str, float], reason: str) -> None:
    types = free_types([typed(*[("p53", "gene")] * 16)])
    with pytest.raises(ConfigError, match=reason):
        propose(types, None, **({"least": 5, "distance": 0.4} | settings))  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("uvwxyz")), min_size=1, max_size=40),
    st.integers(1, 4),
    st.floats(0.05, 0.95),
    st.none() | st.integers(1, 4),
    st.booleans(),
)
def test_every_type_is_in_one_class_or_left_out(
    mentions: list[tuple[str, str]], least: int, distance: float, classes: int | None, with_vectors: bool
) -> None:
    types = free_types([typed(*mentions)])
    vectors = np.random.default_rng(0).normal(size=(len(types), 4)).astype(np.float32) if with_vectors else None
    if types[0].spans < least:
        return
    proposal = propose(types, vectors, least=least, distance=distance, classes=classes)
    placed = [own for each in proposal.classes for own in each.types] + list(proposal.left_out)
    assert sorted(each.name for each in placed) == sorted(each.name for each in types)
    assert all(each.types[0].spans >= least for each in proposal.classes)
    assert all(each.spans < least for each in proposal.left_out)
    sizes = [each.spans for each in proposal.classes]
    assert sizes == sorted(sizes, reverse=True)
