"""Mentions that say where they stand, and what that means for other places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding.grounder import GroundedSpan, Grounder, Occurrences, Status
from kazu_distill.annotation.parsing.answer import Mention

TEXT = "Aspirin, aspirin, tumor necrosis factor (TNF) and aspirin."


def at(start: int, end: int, label: str = "drug", text: str | None = None) -> Mention:
    return Mention(TEXT[start:end] if text is None else text, label, start, end)


def ground(*mentions: Mention, occurrences: Occurrences = "listed") -> list[tuple[int, int, Status]]:
    grounding = Grounder(occurrences=occurrences).ground(TEXT, mentions, is_document=True)
    return [(span.start, span.end, span.status) for span in grounding.spans]


def test_a_mention_is_where_it_says_even_inside_a_word() -> None:
    assert ground(at(9, 16), at(2, 4)) == [(2, 4, Status.EXACT), (9, 16, Status.EXACT)]


def test_the_status_says_how_far_the_mention_is_written_as_the_text() -> None:
    wrong = at(0, 7, text="ASPIRIN"), at(9, 16, text="as-pirin"), at(41, 44, text="TNF "), at(50, 57, text="asprin")
    assert [status for _, _, status in ground(*wrong)] == ["case", "fuzzy", "exact", "fuzzy"]
    assert ground(at(18, 39, text="Tumor-necrosis  factor"))[0][2] == Status.NORMALISED


def test_a_placed_mention_labels_no_other_place_of_its_text() -> None:
    for occurrences in ("listed", "all", "document"):
        assert ground(at(9, 16), occurrences=occurrences) == [(9, 16, Status.EXACT)]
        one_searched = ground(at(9, 16), Mention("aspirin", "drug"), occurrences=occurrences)
        assert one_searched == [(9, 16, Status.EXACT), (50, 57, Status.EXACT)]


def test_what_is_searched_for_stands_between_its_neighbours_and_at_no_place_that_is_taken() -> None:
    assert ground(at(9, 16), at(41, 44), Mention("aspirin", "drug"))[-1] == (50, 57, Status.EXACT)
    assert ground(Mention("aspirin", "drug"), at(9, 16), at(41, 44))[0] == (0, 7, Status.CASE)
    taken = [at(0, 7), at(9, 16), at(50, 57)]
    assert ground(*taken, Mention("aspirin", "disease")) == ground(*taken, at(50, 57, "disease"))


def test_a_long_form_with_its_abbreviation_is_two_in_place_too() -> None:
    assert ground(at(18, 45)) == [(18, 39, Status.EXACT), (41, 44, Status.EXACT)]


def span(start: int, end: int) -> GroundedSpan:
    return GroundedSpan(start, end, "drug", Status.EXACT)


def test_over_a_document_unmarked_places_are_none_where_others_of_the_string_are_marked() -> None:
    texts = ["aspirin and aspirin. aspirin, aspirin", "aspirin"]
    found = [[span(0, 7)], []]
    grounder = Grounder(occurrences="document")

    def starts(*marked: list[tuple[int, int]]) -> list[list[int]]:
        return [[each.start for each in own] for own in grounder.over_document(texts, found, marked)]

    assert starts() == [[0, 12, 21, 30], [0]]
    assert starts([(0, 37)], [(0, 7)]) == [[0], [0]]
    assert starts([(0, 20), (20, 37)], []) == [[0, 21, 30], [0]]
    assert starts([(0, 10), (0, 20)], []) == [[0, 21, 30], [0]]
    assert starts([(20, 37)], [(0, 7)]) == [[0, 12, 21, 30], [0]]


@given(
    st.lists(st.tuples(st.integers(0, 57), st.integers(0, 57), st.sampled_from("xy"), st.booleans()), max_size=6),
    st.sampled_from(["listed", "all", "document"]),
)
def test_every_placed_mention_has_its_span(drawn: list[tuple[int, int, str, bool]], occurrences: Occurrences) -> None:
    mentions = [
        Mention(TEXT[min(one, two) : max(one, two)], label, *((min(one, two), max(one, two)) if placed else ()))
        for one, two, label, placed in drawn
        if one != two
    ]
    grounder = Grounder(occurrences=occurrences, split_abbreviations=False)
    grounding = grounder.ground(TEXT, mentions, is_document=True)
    found = {(each.start, each.end, each.label) for each in grounding.spans}
    placed = {(each.start, each.end, each.label) for each in mentions if each.place is not None}
    assert placed <= found
    if all(mention.place is not None for mention in mentions):
        assert found == placed
