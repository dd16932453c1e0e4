"""Grounding on any text: properties, and slow ways that must agree."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding.boundaries import is_boundary
from kazu_distill.annotation.grounding.grounder import Grounder, Occurrences, Status
from kazu_distill.annotation.grounding.tokens import tokenise
from kazu_distill.annotation.parsing.answer import Mention
from tests.work import calls

# --- any text, any mentions ---

_ALPHABET = "aAbBsS12 -+\u00ad\u200b\u0301éßİﬁ²⁻½αµ’'\n(),糖が🧬த\u0bae\u0bbf"
texts = st.text(alphabet=_ALPHABET, max_size=30) | st.text(max_size=30)
mention_texts = st.text(alphabet=_ALPHABET, min_size=1, max_size=5)
mentions = st.lists(st.tuples(mention_texts, st.sampled_from("xy")), max_size=6)


def words(text: str) -> str:
    """Without what only divides."""
    return "".join(tokenise(text).words)


@given(texts, mentions, st.sampled_from(["listed", "all"]))
@example("a\u0301 a", [("a", "x")], "all")
@example("1\u0bbf", [("1", "x")], "all")
def test_grounded_spans_are_their_mentions(text: str, wanted: list[tuple[str, str]], occurrences: Occurrences) -> None:
    grounder = Grounder(occurrences=occurrences, split_abbreviations=False)
    grounding = grounder.ground(text, [Mention(*mention) for mention in wanted])
    for span in grounding.spans:
        assert 0 <= span.start < span.end <= len(text)
        assert is_boundary(text, span.start)
        assert is_boundary(text, span.end)
        assert words(text[span.start : span.end]) in {
            words(mention) for mention, label in wanted if label == span.label
        }
    places = {(span.start, span.end, span.label) for span in grounding.spans}
    assert len(places) == len(grounding.spans)
    assert list(grounding.spans) == sorted(grounding.spans, key=lambda span: (span.start, -span.end, span.label))
    absent = {mention for mention, status in grounding.missing if status is Status.NOT_FOUND}
    assert {label for mention, label in wanted if Mention(mention, label) not in absent} == {
        span.label for span in grounding.spans
    }


@given(texts, mentions, st.floats(0.5, 1))
def test_weaker_forms_slice_the_text_at_boundaries_too(text: str, wanted: list[tuple[str, str]], fuzzy: float) -> None:
    grounder = Grounder(inflected=True, glosses=True, fuzzy=fuzzy)
    for span in grounder.ground(text, [Mention(*mention) for mention in wanted]).spans:
        assert 0 <= span.start < span.end <= len(text)
        assert is_boundary(text, span.start)
        assert is_boundary(text, span.end)


@given(texts, st.data())
def test_what_stands_in_the_text_is_found_there(text: str, data: st.DataObject) -> None:
    edges = [index for index in range(len(text) + 1) if is_boundary(text, index)]
    start, end = sorted((data.draw(st.sampled_from(edges)), data.draw(st.sampled_from(edges))))
    surface = text[start:end]
    # A hyphen is seen or not for what is beside it, and what cannot be seen is never an edge.
    if any(mark in surface for mark in "-⁻\u00ad\u200b") or not surface.isprintable() or not surface.strip().isascii():
        return
    spans = Grounder(split_abbreviations=False).ground(text, [Mention(surface, "x")]).spans
    stripped = start + len(surface) - len(surface.lstrip()), end - len(surface) + len(surface.rstrip())
    assert not surface.strip() or stripped in {(span.start, span.end) for span in spans}


@given(st.text(alphabet="abA ", max_size=14), st.lists(st.sampled_from(["a", "b", "ab", "A", "a b", "bA"]), max_size=4))
def test_every_place_of_a_string_is_found_as_the_slow_way_finds_them(text: str, wanted: list[str]) -> None:
    grounder = Grounder(occurrences="all", split_abbreviations=False)
    for mention in wanted:
        spans = grounder.ground(text, [Mention(mention, "x")]).spans
        assert [(span.start, span.end) for span in spans] == places_by_trying_everything(text, mention)


@given(st.text(alphabet="abA ", max_size=14), st.lists(st.sampled_from(["a", "b", "ab", "a b"]), max_size=4))
def test_over_one_text_a_document_is_the_same_as_all(text: str, wanted: list[str]) -> None:
    listing = [Mention(mention, "xy"[number % 2]) for number, mention in enumerate(wanted)]
    spans = Grounder(occurrences="document").ground(text, listing).spans
    (over,) = Grounder(occurrences="document").over_document([text], [spans])
    everywhere = Grounder(occurrences="all").ground(text, listing).spans
    # Over a document capitals inside words always count, as its strings are those of the text.
    assert {(each.start, each.end, each.label) for each in over} <= {
        (each.start, each.end, each.label) for each in everywhere
    } or "A" in text


def places_by_trying_everything(text: str, mention: str) -> list[tuple[int, int]]:
    """Every slice at word edges that has the mention's words: those with its inner capitals, else all."""
    slices = [
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if is_edge(text, start) and is_edge(text, end) and text[start:end] == text[start:end].strip()
    ]
    found = [place for place in slices if text[slice(*place)].lower().split() == mention.lower().split()]
    alike = [place for place in found if inner_letters(text[slice(*place)]) == inner_letters(mention)]
    return alike or found


def inner_letters(string: str) -> list[str]:
    return [word[1:] for word in string.split()]


def is_edge(text: str, index: int) -> bool:
    return index in (0, len(text)) or " " in (text[index - 1], text[index])


# --- time ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("gout " * 40_000, ["gout"] * 2_000),
        ("a" * 200_000, ["a" * (number % 100 + 1) for number in range(2_000)]),
        ("a " * 100_000, ["a " * (number % 100 + 1) for number in range(2_000)]),
        ("糖" * 100_000, ["糖" * (number % 100 + 1) for number in range(2_000)]),
        ("a1" * 100_000, ["a1" * (number % 50 + 1) for number in range(2_000)]),
        ("ab " * 70_000, ["ab " * (number % 60) + f"abz{number}" for number in range(2_000)]),
        ("-" * 200_000, ["-"] * 2_000),
        ("(" * 200_000, ["(" * 1_000] * 400),
        (" ".join(f"w{number}x" for number in range(30_000)), [f"w{number}x" for number in range(2_000)]),
    ],
)
def test_the_work_is_linear_in_text_and_mentions(text: str, wanted: list[str]) -> None:
    grounder = Grounder(occurrences="all", inflected=True, glosses=True, fuzzy=0.9)

    def ground_part(share: int) -> None:
        mentions = [Mention(mention, "x") for mention in wanted[: len(wanted) // share]]
        grounder.ground(text[: len(text) // share], mentions)

    assert calls(lambda: ground_part(10)) <= 4.5 * calls(lambda: ground_part(40)) + 20_000
    ground_part(1)  # nor does it take minutes in what is not counted
