"""Texts are compared by their runs of five words."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.shingles import are_similar, folded, quick_shingles, shingles_of

texts = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)


@given(texts, texts)
def test_both_kinds_of_hashes_tell_the_same_runs_apart(one: str, other: str) -> None:
    few, many = quick_shingles(one), quick_shingles(other)
    assert len(few) == len(shingles_of(one))
    assert np.all(few[1:] > few[:-1])
    assert len(np.intersect1d(few, many)) == len(shingles_of(one) & shingles_of(other))


@given(texts)
def test_a_text_is_similar_to_itself_in_another_case_and_with_other_spaces(text: str) -> None:
    shouted = f"\n{text.upper().replace(' ', '   ')} "
    assert folded([shouted]) == folded([text])
    assert are_similar(shingles_of(folded([shouted])), shingles_of(folded([text])))
