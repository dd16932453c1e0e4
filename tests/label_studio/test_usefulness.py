from __future__ import annotations

import pytest

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.usefulness import (
    Unrankable,
    by_disagreement,
    by_rare_classes,
    by_suspects,
    by_uncertainty,
    ranked,
)

TEXT = "BRCA1 in cancer"
GENE, DISEASE = Span(0, 5, "gene"), Span(9, 15, "disease")


def document(name: str, *spans: Span, text: str = TEXT) -> Document:
    return Document(name, (Section("title", text, spans),))


def scored(span: Span, score: float) -> Span:
    return Span(span.start, span.end, span.label, score)


def test_close_decisions_come_first_and_sure_ones_last() -> None:
    documents = [
        document("sure", GENE, DISEASE),
        document("empty"),
        document("two", scored(GENE, 0.6), scored(DISEASE, 0.4)),
        document("even", scored(GENE, 0.5)),
    ]
    worth = by_uncertainty(documents)
    assert worth == {"sure": 0.0, "empty": 0.0, "two": pytest.approx(1.6), "even": 1.0}
    assert [each.id for each in ranked(documents, worth)] == ["two", "even", "sure", "empty"]


def test_what_only_one_labelling_has_counts_its_score() -> None:
    student = [document("same", scored(GENE, 0.9)), document("more", scored(GENE, 0.9)), document("fewer")]
    llm = [document("same", GENE), document("more"), document("fewer", DISEASE), document("elsewhere", GENE)]
    assert by_disagreement(student, llm) == {"same": 0.0, "more": 0.9, "fewer": 1.0}
    assert by_disagreement(llm[:3], student) == by_disagreement(student, llm)
    assert by_disagreement(student[:1], []) == {"same": 0.0}


def test_the_same_edges_with_another_class_or_in_another_section_differ() -> None:
    assert by_disagreement([document("a", Span(0, 5, "gene"))], [document("a", Span(0, 5, "disease"))]) == {"a": 2.0}
    sections = (Section("1", TEXT, (GENE,)), Section("2", TEXT))
    assert by_disagreement(
        [Document("a", sections)], [Document("a", (Section("1", TEXT), Section("2", TEXT, (GENE,))))]
    ) == {"a": 2.0}


def test_another_text_cannot_be_compared() -> None:
    with pytest.raises(Unrankable, match='document "a" has another text'):
        by_disagreement([document("a")], [document("a", text="Something else")])


def test_rare_classes_come_first() -> None:
    documents = [document("common", GENE), document("common too", GENE), document("rare", DISEASE), document("none")]
    worth = by_rare_classes(documents)
    assert worth == {"common": 0.5, "common too": 0.5, "rare": 1.0, "none": 0.0}
    assert [each.id for each in ranked(documents, worth)] == ["rare", "common", "common too", "none"]


def test_suspects_are_ranked_by_their_score_and_others_are_an_error() -> None:
    suspect = Document("a", (), {"suspects": {"score": 2, "sections": []}})
    assert by_suspects([suspect]) == {"a": 2.0}
    without: list[dict[str, object]] = [{}, {"suspects": 3}, {"suspects": {}}, {"suspects": {"score": "high"}}]
    for metadata in without:
        with pytest.raises(Unrankable, match="no metadata"):
            by_suspects([Document("b", (), metadata)])
