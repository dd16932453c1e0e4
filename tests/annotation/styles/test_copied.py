"""Copies that are not quite the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.styles.copied import Copied
from kazu_distill.annotation.styles.word_alignment import align_words
from tests.work import calls

TEXT = 'Oral  aspirin (ASA) lowered\nthe "risk" of stroke; aspirin did not lower TNF-α or IL‑2 in type 2 diabetes.'


def place_of(copy: str, mention: str, nth: int = 0, text: str = TEXT) -> str | None:
    """What the text has where a copy has a mention."""
    start = -1
    for _ in range(nth + 1):
        start = copy.index(mention, start + 1)
    place = Copied(copy, text).place(start, start + len(mention))
    return None if place is None else f"{text[slice(*place)]}@{place[0]}"


@pytest.mark.parametrize(
    ("copy", "mention", "nth", "found"),
    [
        (TEXT, "  aspirin (", 0, "  aspirin (@4"),
        (f"\n{TEXT}\n", "aspirin", 1, "aspirin@50"),
        (" ".join(TEXT.split()), "aspirin", 1, "aspirin@50"),
        (TEXT.upper(), "ASPIRIN", 1, "aspirin@50"),
        (TEXT.replace('"', "”"), "“risk”".replace("“", "”"), 0, '"risk"@32'),
        (TEXT.replace("Oral  ", ""), "aspirin", 0, "aspirin@6"),
        (TEXT.replace("aspirin (ASA)", "ASA"), "aspirin", 0, "aspirin@50"),
        (TEXT.replace("lowered", "slightly lowered"), "stroke", 0, "stroke@42"),
        (TEXT.replace("TNF-α", "TNF-alpha"), "TNF-alpha", 0, "TNF-α@72"),
        (TEXT.replace("IL‑2", "IL-2"), "IL-2", 0, "IL‑2@81"),
        (TEXT.replace("type 2 diabetes", "type II diabetes"), "type II diabetes", 0, "type 2 diabetes@89"),
        (TEXT.replace("stroke", "strokes"), "strokes", 0, "stroke@42"),
        (TEXT.replace("stroke", "strokes"), "stroke", 0, None),
        (TEXT.replace("stroke", "infarction"), "infarction", 0, None),
        (TEXT + " Gout hurts.", "Gout", 0, None),
        ("Here it is:\n```\n" + TEXT + "\n```", "aspirin", 1, "aspirin@50"),
        (TEXT[: TEXT.index("did")], "aspirin", 1, "aspirin@50"),
    ],
)
def test_a_mention_is_placed_where_the_text_has_the_same_words(
    copy: str, mention: str, nth: int, found: str | None
) -> None:
    assert place_of(copy, mention, nth) == found


def test_accents_belong_to_their_letters() -> None:
    text = "Sjo\u0308gren, e\u0301."
    assert place_of("Sjögren,  é.", "é", text=text) == "e\u0301@10"


@pytest.mark.parametrize(
    ("copy", "left_out", "ends_early"),
    [
        (TEXT, None, False),
        (TEXT.lower().replace(" the", ""), None, False),
        (TEXT.removesuffix("."), None, True),
        (
            TEXT.removesuffix(" diabetes."),
            "the copy of the text ends before the text does; its last words are: ASA",
            True,
        ),
        (TEXT.removesuffix("betes."), "the copy of the text ends before the text does", True),
        (
            TEXT.replace("aspirin did not lower TNF-α or IL‑2 ", ""),
            "the copy leaves a part of the text out: aspirin",
            False,
        ),
        ("Sure: " + TEXT + " Anything else?", None, False),
    ],
)
def test_what_is_left_out_is_told(copy: str, left_out: str | None, ends_early: bool) -> None:
    copied = Copied(copy, TEXT)
    said = copied.left_out()
    assert (said is None) == (left_out is None)
    assert (said or "").startswith(left_out or "")
    assert copied.ends_early == ends_early


words = st.integers(0, 60).map(lambda number: f"w{number}x".translate(str.maketrans("0123456789", "abcdefghij")))


@given(st.lists(words, unique=True, max_size=40), st.data())
def test_of_different_words_all_that_are_in_both_in_order_are_paired(text: list[str], data: st.DataObject) -> None:
    copy: list[str] = []
    for word in text:
        copy += data.draw(st.sampled_from([[word], [word], [word], [], ["new"], ["new", word], [word, "new"]]))
    text, copy = [*text, *"xyz"], [*copy, *"xyz"]
    pairs = align_words(copy, text)
    assert [text[pair] if pair is not None else "new" for pair in pairs] == copy
    assert [pair for pair in pairs if pair is not None] == sorted(pair for pair in pairs if pair is not None)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.lists(st.sampled_from("abc"), max_size=30))
def test_pairs_are_equal_words_in_order(copy: list[str], original: list[str]) -> None:
    pairs = align_words(copy, original)
    known = [(word, pair) for word, pair in zip(copy, pairs, strict=True) if pair is not None]
    assert all(original[pair] == word for word, pair in known)
    assert all(one < other for (_, one), (_, other) in pairwise(known))
    assert copy != original or pairs == [*range(len(copy))]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.data())
def test_a_copy_that_is_cut_is_paired_from_the_beginning(original: list[str], data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(original)))
    assert align_words(original[:length], original) == [*range(length)]


@pytest.mark.parametrize("unit", [["a"], ["a", "b"], ["a", "b", "c", "d"]])
@pytest.mark.parametrize("wrong", [["x"], ["a"], ["a", "a", "b"]])
def test_the_work_is_linear_in_both_lengths(unit: list[str], wrong: list[str]) -> None:
    def align(length: int) -> None:
        align_words((unit * 7 + wrong) * (length // 10), [*unit * length, "end"])

    assert calls(lambda: align(4_000)) <= 4.5 * calls(lambda: align(1_000)) + 1000
    align(40_000)
