"""A curve is what strict counting says of the spans of at least a score."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.curves import score_curves, threshold_curves
from kazu_distill.scoring.metrics import precision, recall
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import sides_of, strict_counts
from tests.scoring.labelled import LABELS, document, places, sides

SCORES = (0.5, 0.625, 0.7, 1.0)


@given(sides(places()), st.randoms(use_true_random=False))
def test_a_curve_equals_counting_anew_at_every_score(
    both: tuple[list[Document], list[Document]], random: Random
) -> None:
    gold, predicted = both[0], [scored(each, random) for each in both[1]]
    curves = score_curves(sides_of(paired(gold, predicted), LABELS))
    assert list(curves) == list(LABELS)
    for label, curve in curves.items():
        cuts = sorted({np.float32(score) for each in predicted for score in best_scores(each, label)}, reverse=True)
        assert curve.cuts.tolist() == cuts
        assert curve.chosen == (len(cuts) - 1 if cuts else None)
        for place, cut in enumerate(cuts):
            kept = [at_least(each, cut) for each in predicted]
            counts = strict_counts(paired(gold, kept), LABELS)[label]
            assert curve.precision[place] == pytest.approx(precision(counts))
            assert curve.recall[place] == pytest.approx(recall(counts))


def test_a_long_curve_keeps_its_ends_and_only_points_of_its_own() -> None:
    random = Random(1)
    text = "x" * 4000
    spans = [Span(start, start + 1, "x", random.random()) for start in range(0, 4000, 2)]
    gold = Document("a", (Section("", text, tuple(spans[::3])),))
    predicted = gold.with_spans([tuple(spans)])
    both = sides_of([(gold, predicted)], ("x",))
    whole = score_curves(both, most=10_000)["x"]
    short = score_curves(both)["x"]
    points = [list(zip(each.cuts, each.precision, each.recall, strict=True)) for each in (whole, short)]
    assert len(whole) > 1900
    assert len(short) == 200
    assert set(points[1]) <= set(points[0])
    assert points[1][0] == points[0][0]
    assert points[1][-1] == points[0][-1]
    assert short.recall[-1] == 1.0


def test_equal_scores_make_one_point_and_no_prediction_none() -> None:
    gold = document("a", [(0, 2, "x"), (4, 5, "x"), (6, 7, LABELS[0])])
    predicted = document("a", [(0, 2, "x"), (8, 9, "x"), (9, 10, "x"), (0, 1, LABELS[1])])
    curves = score_curves(sides_of([(gold, predicted)], LABELS))
    assert curves["x"].cuts.tolist() == [1.0]
    assert curves["x"].precision.tolist() == [pytest.approx(1 / 3)]
    assert curves["x"].recall.tolist() == [0.5]
    assert len(curves[LABELS[0]]) == 0
    assert (curves[LABELS[1]].precision.tolist(), curves[LABELS[1]].recall.tolist()) == ([0.0], [0.0])


def test_a_curve_by_threshold_is_the_counts_at_each_with_the_chosen_one_marked() -> None:
    thresholds = np.array([[0.2, 0.2, 0.2], [0.5, 0.5, 0.5], [0.9, 0.9, 0.9], [0.4, 0.5, 0.8]], dtype=np.float32)
    counts = np.zeros((4, 3, 3))
    counts[:, :, 2] = 10
    counts[:, 0, :2] = [(9, 30), (6, 8), (2, 2), (8, 16)]
    counts[:, 1, :2] = [(9, 30), (6, 8), (0, 0), (6, 8)]
    counts[:, 2, :2] = [(1, 2), (0, 0), (0, 0), (0, 0)]
    curves = threshold_curves(LABELS, thresholds, counts)
    first, second, third = (curves[label] for label in LABELS)
    assert first.cuts.tolist() == pytest.approx([0.9, 0.5, 0.4, 0.2])
    assert first.precision.tolist() == [1.0, 0.75, 0.5, 0.3]
    assert first.recall.tolist() == [0.2, 0.6, 0.8, 0.9]
    assert first.chosen == 2
    assert (second.cuts.tolist(), second.chosen) == (pytest.approx([0.5, 0.2]), 0), "a threshold of the grid comes once"
    assert (len(third), third.chosen) == (1, None), "where nothing is predicted there is no precision"


def scored(of: Document, random: Random) -> Document:
    """The same document with a score for each span."""
    return of.with_spans(
        [tuple(replace(span, score=random.choice(SCORES)) for span in section.spans) for section in of.sections]
    )


def best_scores(of: Document, label: str) -> list[float]:
    """The score of each entity of a class; of one that a section has twice the better."""
    best: dict[tuple[int, int, int], float] = {}
    for number, section in enumerate(of.sections):
        for span in section.spans:
            if span.label == label:
                place = number, span.start, span.end
                best[place] = max(best.get(place, 0.0), span.score)
    return list(best.values())


def at_least(of: Document, cut: np.float32) -> Document:
    """The same document with the spans of such a score."""
    return of.with_spans(
        [tuple(span for span in section.spans if np.float32(span.score) >= cut) for section in of.sections]
    )
