"""Precision against recall for each class, as a model is asked to be surer and surer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kazu_distill.scoring.matching import match
from kazu_distill.scoring.tally import Sides

POINTS = 200
"""Points of a curve at most: more than a small drawing can show."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """What is reached at cuts, the highest first; all arrays ``(points,)``.

    Where nothing is predicted there is no precision, so that a class of which nothing ever is has no point.

    Args:
        cuts: thresholds or scores, 0 to 1.
        precision: the share of the predicted spans that are right.
        recall: the share of the gold spans that are found; 0 where there is no gold span.
        chosen: the point that the predictions are at; None where it is none, as nothing is predicted.
    """

    cuts: Floats
    precision: Floats
    recall: Floats
    chosen: int | None

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.cuts)


Curves: TypeAlias = Mapping[str, Curve]


def threshold_curves(labels: Sequence[str], thresholds: NDArray[np.float32], counts: Floats) -> dict[str, Curve]:
    """A curve for each class from what a model reaches at thresholds; it has both ends.

    Args:
        labels: the classes.
        thresholds: ``(candidates, classes)``; the last are those of the predictions.
        counts: ``(candidates, classes, 3)``: spans that are right, predicted, and in gold.
    """
    own = len(thresholds) - 1
    curves = {}
    for number, label in enumerate(labels):
        cuts = thresholds[:, number].astype(np.float64)
        right, predicted, gold = counts[:, number].T
        points = np.flatnonzero((predicted > 0) & ((cuts != cuts[own]) | (np.arange(len(cuts)) == own)))
        points = points[np.argsort(-cuts[points], kind="stable")]
        chosen = np.flatnonzero(points == own)
        curves[label] = Curve(
            cuts=cuts[points],
            precision=right[points] / predicted[points],
            recall=right[points] / max(gold[own], 1),
            chosen=int(chosen[0]) if len(chosen) else None,
        )
    return curves


def score_curves(sides: Sides, *, most: int = POINTS) -> dict[str, Curve]:
    """A curve for each class, if of the predicted spans only those of at least a score are kept, by strict matching.

    Its last point keeps them all. What a model would predict beside them is not known.

    Args:
        sides: gold and predicted entities; each score that predicted ones of a class have is a point.
        most: points of a curve, 2 or more; of a longer one so many are taken at equal steps, with the first and last.
    """
    right = np.zeros(len(sides.predicted), dtype=bool)
    right[match(sides.gold, sides.predicted, "strict").predicted] = True
    gold = np.bincount(sides.gold.labels, minlength=len(sides.labels))
    curves = {}
    for number, label in enumerate(sides.labels):
        own = sides.predicted.labels == number
        curves[label] = _curve(sides.predicted.scores[own].astype(np.float64), right[own], int(gold[number]), most)
    return curves


def _curve(scores: Floats, right: NDArray[np.bool_], gold: int, most: int) -> Curve:
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    # Spans of one score come and go together, so that a point is the last span of its score.
    last = np.flatnonzero(np.diff(scores, append=-1.0))
    if len(last) > most:
        last = last[np.linspace(0, len(last) - 1, most).round().astype(np.int64)]
    found = np.cumsum(right[order])[last].astype(np.float64)
    points = len(last)
    return Curve(scores[last], found / (last + 1), found / max(gold, 1), points - 1 if points else None)
