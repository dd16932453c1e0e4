"""Every entity has exactly one kind, and the right one."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.mistakes import Kind, analyse, frequent, judge
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from tests.scoring.labelled import LABELS, TEXT, document, places, sides

Both = tuple[list[Document], list[Document]]
Place = tuple[int, int, str]


@given(sides(places()))
def test_every_entity_is_judged_once(both: Both) -> None:
    for gold, predicted in paired(*both):
        for own, its in zip(gold.sections, predicted.sections, strict=True):
            judged = judge(own, its)
            for side, section in (("gold", own), ("predicted", its)):
                spans = [span for each in judged if (span := getattr(each, side))]
                found = [(span.start, span.end, span.label) for span in spans]
                assert len(found) == len(set(found))
                assert set(found) == {(span.start, span.end, span.label) for span in section.spans}


@given(sides(places()))
def test_kinds_add_up_to_the_strict_counts(both: Both) -> None:
    pairs = paired(*both)
    analysis = analyse(pairs, LABELS)
    together = sum(strict_counts(pairs, LABELS).values(), Counts())
    kinds = sum(analysis.kinds.values(), Counter[Kind]())
    assert kinds[Kind.CORRECT] == together.true_positives
    assert kinds.total() - kinds[Kind.CORRECT] - kinds[Kind.SPURIOUS] == together.false_negatives
    assert kinds.total() - kinds[Kind.CORRECT] - kinds[Kind.MISSED] == together.false_positives
    assert kinds.total() == analysis.confusion.total()
    assert len(analysis.mistakes) == kinds.total() - kinds[Kind.CORRECT]


@given(sides(places()))
def test_what_stands_alone_touches_nothing_that_stands_alone(both: Both) -> None:
    for gold, predicted in paired(*both):
        for own, its in zip(gold.sections, predicted.sections, strict=True):
            judged = judge(own, its)
            missed = [each.gold for each in judged if each.gold and not each.predicted]
            spurious = [each.predicted for each in judged if each.predicted and not each.gold]
            assert not any(one.start < two.end and two.start < one.end for one in missed for two in spurious)


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ([(2, 5, "x")], [(2, 5, "x")], [Kind.CORRECT]),
        ([(2, 5, "x")], [(2, 6, "x")], [Kind.TOO_LONG]),
        ([(2, 5, "x")], [(1, 6, "x")], [Kind.TOO_LONG]),
        ([(2, 5, "x")], [(3, 5, "x")], [Kind.TOO_SHORT]),
        ([(2, 5, "x")], [(3, 6, "x")], [Kind.SHIFTED]),
        ([(2, 5, "x")], [(2, 5, LABELS[0])], [Kind.CLASS]),
        ([(2, 5, "x")], [(2, 6, LABELS[0])], [Kind.BOTH]),
        ([(2, 5, "x")], [(5, 6, "x")], [Kind.MISSED, Kind.SPURIOUS]),
        # One prediction over two entities is one mistake of boundary and one missed entity: the nearer is paired.
        ([(0, 2, "x"), (3, 7, "x")], [(0, 7, "x")], [Kind.MISSED, Kind.TOO_LONG]),
        # What is equal is paired first, so that a nested entity does not take its place.
        ([(0, 6, "x"), (0, 2, "x")], [(0, 2, "x")], [Kind.CORRECT, Kind.MISSED]),
        # Edges count for more than the class: this is the same entity under another name.
        ([(2, 5, "x")], [(2, 5, LABELS[0]), (2, 6, "x")], [Kind.CLASS, Kind.SPURIOUS]),
        # Both classes of a doubly labelled place are judged for themselves.
        ([(2, 5, "x"), (2, 5, LABELS[0])], [(2, 5, "x")], [Kind.CORRECT, Kind.MISSED]),
    ],
)
def test_kinds(gold: list[Place], predicted: list[Place], kinds: list[Kind]) -> None:
    pair = document("a", gold), document("a", predicted)
    assert sorted(each.kind for each in judge(pair[0].sections[0], pair[1].sections[0])) == sorted(kinds)


def test_a_mistake_says_where_it_is() -> None:
    text = "Aspirin " + "x" * 100 + " acute renal failure " + "y" * 100
    start = text.index("acute")
    gold = Document("d", (Section("title", "no"), Section("abstract", text, (Span(start, start + 19, "disease"),))))
    predicted = gold.with_spans([(), (Span(start + 6, start + 19, "disease", 0.8),)])
    (mistake,) = analyse([(gold, predicted)], ("disease",)).mistakes
    assert mistake.as_json() == {
        "document": "d",
        "section": 1,
        "section_name": "abstract",
        "kind": "too short",
        "gold": {"start": start, "end": start + 19, "label": "disease", "score": 1.0, "text": "acute renal failure"},
        "predicted": {"start": start + 6, "end": start + 19, "label": "disease", "score": 0.8, "text": "renal failure"},
        "before": "x" * 59 + " ",
        "text": "acute renal failure",
        "after": " " + "y" * 59,
    }


def test_frequent_mentions() -> None:
    gold = [document(str(number), [(0, 3, "x")], [(4, 5, "x")]) for number in range(5)]
    predicted = [document(str(number), [(0, 2, "x")], []) for number in range(5)]
    mistakes = analyse(paired(gold, predicted), LABELS).mistakes
    missed = frequent(mistakes, side="gold", most=5)
    assert [(each.mention, each.count, len(each.examples)) for each in missed["x"]] == [
        (TEXT[:3], 5, 3),
        (TEXT[4:5], 5, 3),
    ]
    assert [each.mention for each in frequent(mistakes, side="predicted", most=5)["x"]] == [TEXT[:2]]
    assert [each.mention for each in frequent(mistakes, side="gold", most=1)["x"]] == [TEXT[:3]]
    assert frequent([], side="gold", most=1) == {}
