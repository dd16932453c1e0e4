from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.label_studio.json_stream import elements_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def chunks_of(content: bytes, cuts: list[int]) -> list[bytes]:
    """A content cut at places, some of which may be inside a character."""
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    return [content[start:end] for start, end in pairwise(edges)]


@settings(max_examples=500)
@given(st.lists(values, max_size=5), st.booleans(), st.sampled_from([None, 2]), st.lists(st.integers(0), max_size=8))
def test_the_elements_are_those_of_the_list_wherever_it_is_cut(
    elements: list[object], escaped: bool, indent: int | None, cuts: list[int]
) -> None:
    content = json.dumps(elements, ensure_ascii=escaped, indent=indent).encode(errors="replace")
    assert list(elements_of(chunks_of(content, cuts))) == json.loads(content)


@given(st.lists(values, min_size=1, max_size=3), st.integers(0))
def test_a_list_that_is_cut_off_is_an_error(elements: list[object], cut: int) -> None:
    content = json.dumps(elements).encode()
    with pytest.raises(ValueError, match="ends before its end"):
        list(elements_of([content[: cut % len(content)]]))


@pytest.mark.parametrize("content", [b'{"detail": "no"}', b"<html>"])
def test_something_else_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a JSON list"):
        list(elements_of([content]))
