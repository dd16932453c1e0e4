"""Counting is strict and leaves no gold span out."""

from __future__ import annotations

import pytest
from hypothesis import given

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.pairs import ScoringError, paired
from kazu_distill.scoring.tally import strict_counts
from tests.scoring.labelled import LABELS, document, places, sides, slow_counts
from tests.work import calls


@given(sides(places()))
def test_counting_equals_the_slow_one(both: tuple[list[Document], list[Document]]) -> None:
    counts = strict_counts(paired(*both), LABELS)
    assert list(counts) == list(LABELS)
    for label in LABELS:
        assert counts[label] == slow_counts(*both, label)


@given(sides(places()))
def test_gold_against_predicted_is_predicted_against_gold_with_the_errors_swapped(
    both: tuple[list[Document], list[Document]],
) -> None:
    counts, swapped = strict_counts(paired(*both), LABELS), strict_counts(paired(*reversed(both)), LABELS)
    for label in LABELS:
        one, other = counts[label], swapped[label]
        assert one.true_positives == other.true_positives
        assert (one.false_positives, one.false_negatives) == (other.false_negatives, other.false_positives)


def test_a_class_that_is_never_predicted_still_has_all_its_gold_spans() -> None:
    """Kazu's scorer looks only at classes that were predicted in a section: one hit in ten sections is recall 1.0."""
    gold = document("a", *([(0, 3, "x")] for _ in range(10)))
    predicted = document("a", [(0, 3, "x")], *([] for _ in range(9)))
    assert strict_counts([(gold, predicted)], LABELS)["x"] == Counts(1, 0, 9)


def test_a_near_miss_another_class_and_another_section_are_wrong() -> None:
    gold = document("a", [(0, 3, "x")], [])
    for predicted in (
        document("a", [(0, 4, "x")], []),
        document("a", [(1, 3, "x")], []),
        document("a", [(0, 3, LABELS[0])], []),
        document("a", [], [(0, 3, "x")]),
    ):
        together = sum(strict_counts([(gold, predicted)], LABELS).values(), start=Counts())
        assert together == Counts(0, 1, 1)


def test_a_span_that_comes_twice_counts_once_whatever_its_score_and_source() -> None:
    twice = Document("a", (Section("", "EGFR", (Span(0, 4, "x", 0.9, "gold"), Span(0, 4, "x", 0.2, "run"))),))
    assert strict_counts([(twice, twice)], ["x"]) == {"x": Counts(1, 0, 0)}


def test_a_class_outside_the_schema_is_an_error_on_either_side() -> None:
    for pair in ((document("a", [(0, 3, "y")]), document("a", [])), (document("a", []), document("a", [(0, 3, "y")]))):
        with pytest.raises(ScoringError, match='document "a" has a span of the class "y", which is not in the schema'):
            strict_counts([pair], LABELS)


def test_the_work_is_linear_in_the_number_of_spans() -> None:
    text = "x" * 2_000
    spans = [tuple(Span(at, at + 5, LABELS[at % 3]) for at in range(shift, 1_000)) for shift in (0, 1)]

    def count(documents: int) -> float:
        gold, predicted = (
            [Document(str(number), (Section("", text, own),)) for number in range(documents)] for own in spans
        )
        return sum(each.gold for each in strict_counts(paired(gold, predicted), LABELS).values())

    assert count(100) == 100_000
    assert calls(lambda: count(40)) <= 4.5 * calls(lambda: count(10)) + 1000
