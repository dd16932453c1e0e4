"""Parts of texts for people to read: what is left out, and that nothing else is."""

from __future__ import annotations

import pytest

from kazu_distill.excerpts import beginning, beside, marked, shortened

TEXT = "We gave aspirin\nto rats."


@pytest.mark.parametrize(
    ("around", "before", "after"), [(30, "We gave ", "\nto rats."), (9, "We gave ", "\nto rats."), (3, "…ve ", "\nto…")]
)
def test_an_ellipsis_says_that_the_text_goes_on(around: int, before: str, after: str) -> None:
    assert beside(TEXT, 8, 15, around=around) == (before, after)
    assert marked(TEXT, 8, 15, around=around) == f"{before}⟦aspirin⟧{after.replace(chr(10), ' ')}"


def test_a_long_mention_keeps_its_two_ends() -> None:
    assert marked("a" * 50 + "b" * 50, 0, 100) == f"⟦{'a' * 39}…{'b' * 39}⟧"
    assert [shortened("abcdefgh", longest) for longest in (8, 7, 6)] == ["abcdefgh", "abc…fgh", "ab…gh"]


def test_the_beginning_of_a_text_is_no_longer_than_asked_for() -> None:
    assert [beginning("abcd", longest) for longest in (5, 4, 3)] == ["abcd", "abcd", "ab…"]
