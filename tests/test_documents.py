"""Documents keep what they promise about their spans."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import NOT_IN_TEXT, SUSPECTS, VOTES, Document, InvalidDocument, Section, Span


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        (Span(-1, 2, "gene"), "starts before the text"),
        (Span(2, 2, "gene"), "is empty"),
        (Span(3, 2, "gene"), "is empty"),
        (Span(0, 5, "gene"), r"ends after the text \(4 characters\)"),
        (Span(0, 4, ""), "has no label"),
        (Span(0, 4, "gene", score=1.5), "score 1.5"),
        (Span(0, 4, "gene", score=math.nan), "score nan"),
    ],
)
def test_a_span_that_is_not_in_its_text_is_refused_with_its_number_and_reason(span: Span, reason: str) -> None:
    with pytest.raises(InvalidDocument, match=rf"span 1 \({span.start}–{span.end}.*{reason}"):
        Section("title", "EGFR", (Span(0, 4, "gene"), span))


@given(st.text(), st.integers(-3, 20), st.integers(-3, 20))
def test_every_accepted_span_is_a_mention_of_code_points(text: str, start: int, end: int) -> None:
    try:
        section = Section("text", text, (Span(start, end, "gene"),))
    except InvalidDocument:
        assert not 0 <= start < end <= len(text)
    else:
        mention = section.mention(section.spans[0])
        assert list(mention) == [text[position] for position in range(start, end)]


def test_offsets_count_code_points_in_any_script() -> None:
    section = Section("text", "𝛼-synuclein и β-актин", (Span(0, 11, "gene"), Span(14, 21, "gene")))
    assert [section.mention(span) for span in section.spans] == ["𝛼-synuclein", "β-актин"]


def test_spans_of_several_classes_may_coincide_nest_and_cross() -> None:
    spans = (Span(0, 5, "a"), Span(0, 5, "b"), Span(1, 3, "a"), Span(2, 9, "c"))
    assert Section("text", "abcdefghij", spans).spans == spans


def test_new_spans_replace_the_old_ones_section_by_section() -> None:
    document = Document(
        "1", (Section("title", "EGFR", (Span(0, 4, "gene"),)), Section("abstract", "text")), {"year": 1}
    )
    changed = document.with_spans([(), (Span(0, 4, "word"),)])
    assert changed.labels() == {"word"}
    assert changed.metadata == {"year": 1}
    assert document.without_spans().spans == []
    assert document.spans == [(document.sections[0], Span(0, 4, "gene"))]


def test_a_place_is_told_from_the_same_place_of_another_section_and_of_another_class() -> None:
    spans = (Span(0, 4, "gene"), Span(0, 4, "gene", score=0.5), Span(0, 4, "disease"))
    document = Document("1", (Section("title", "EGFR", spans), Section("abstract", "EGFR", spans[:1])))
    assert document.places == {(0, 0, 4, "gene"), (0, 0, 4, "disease"), (1, 0, 4, "gene")}


def test_spans_for_another_number_of_sections_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Document("1", (Section("title", "EGFR"), Section("abstract", ""))).with_spans([()])


def test_a_document_that_is_labelled_anew_says_nothing_of_its_old_labels() -> None:
    labelling = {VOTES: {"a": [[]]}, NOT_IN_TEXT: {"per_class": {}}, SUSPECTS: {"score": 1.0, "sections": [[]]}}
    document = Document("1", (Section("title", "EGFR", (Span(0, 4, "gene"),)),), {"year": 1, **labelling})
    assert document.relabelled([()]) == Document("1", (Section("title", "EGFR"),), {"year": 1})
    assert document.relabelled([()], {VOTES: {"b": [[]]}}).metadata == {"year": 1, VOTES: {"b": [[]]}}
