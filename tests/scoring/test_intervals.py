"""Bootstrap intervals hold what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from kazu_distill.documents import Document
from kazu_distill.scoring.intervals import figures, intervals, paired_intervals
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import Tally, sides_of, strict_counts, tally
from tests.scoring.labelled import LABELS, places, sides

Both = tuple[list[Document], list[Document]]


@given(sides(places()))
def test_figures_are_those_of_the_metrics(both: Both) -> None:
    pairs = paired(*both)
    expected = metrics_of(strict_counts(pairs, LABELS))
    for name, value in figures(tally(sides_of(pairs, LABELS), "strict").counts.sum(axis=0), LABELS).items():
        known = expected[name]
        assert math.isnan(value) if known is None else float(value) == pytest.approx(known)


def drawn(documents: int, right: float, seed: int) -> Tally:
    """A gold and a predicted entity a document, right with a probability; another class that is seldom there."""
    random = np.random.default_rng(seed)
    counts = np.zeros((documents, 2, 3))
    counts[:, 0, 1:] = 1
    counts[:, 0, 0] = random.random(documents) < right
    counts[0, 1] = [0, 0, 1]
    return Tally(("a", "b"), counts)


def test_an_interval_holds_the_truth_in_about_95_of_100_samples() -> None:
    """Of a share of n draws the interval is known: share ± 1.96 times the root of share (1 - share) / n."""
    hits = 0
    for seed in range(200):
        found = intervals(drawn(200, 0.7, seed), seed=seed, resamples=400)["a_f1"]
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.7 <= found.high
        assert found.high - found.low == pytest.approx(2 * 1.96 * math.sqrt(0.21 / 200), rel=0.3)
    assert 180 <= hits <= 198


def test_a_class_of_one_document_has_no_interval() -> None:
    found = intervals(drawn(50, 0.7, 1), seed=1)
    assert found["b_f1"].low is found["b_f1"].high is None
    assert found["micro_f1"].low is not None


def test_the_seed_decides() -> None:
    assert intervals(drawn(40, 0.5, 1), seed=1) == intervals(drawn(40, 0.5, 1), seed=1)
    assert intervals(drawn(40, 0.5, 1), seed=1) != intervals(drawn(40, 0.5, 1), seed=2)


def test_differences_are_taken_on_the_same_documents() -> None:
    """Two models that differ by little in every document are told apart, though each one's own interval is wide."""
    worse = drawn(300, 0.5, 1)
    better = Tally(worse.labels, worse.counts.copy())
    better.counts[:15, 0, 0] = 1
    alone = intervals(worse, seed=1)["a_f1"], intervals(better, seed=1)["a_f1"]
    assert alone[0].high is not None
    assert alone[1].low is not None
    assert alone[1].low < alone[0].high
    difference = paired_intervals(worse, better, seed=1)["a_f1"]
    assert difference.low is not None
    assert difference.low > 0
    same = paired_intervals(worse, worse, seed=1)["micro_f1"]
    assert same.low == same.high == 0


def test_tallies_of_other_documents_are_no_pair() -> None:
    with pytest.raises(ValueError, match="the same documents and classes"):
        paired_intervals(drawn(3, 0.5, 1), drawn(4, 0.5, 1), seed=1)
