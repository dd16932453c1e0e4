"""Precision against recall for each class, as only surer and surer spans are kept."""

from __future__ import annotations

from collections.abc import Mapping
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
    """What is reached if only spans of at least a score are kept, the highest score first; all arrays ``(points,)``.

    The last point keeps every span that was predicted. A class of which nothing is predicted has no point; one whose
    spans all have the same score has one.

    Args:
        cuts: scores.
        precision: the share of the kept spans that are right.
        recall: the share of the gold spans that are kept; 0 where there is no gold span.
    """

    cuts: Floats
    precision: Floats
    recall: Floats

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.cuts)


Curves: TypeAlias = Mapping[str, Curve]


def precision_recall_curves(sides: Sides, *, most: int = POINTS) -> dict[str, Curve]:
    """A curve for each class, by strict matching.

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
    return Curve(cuts=scores[last], precision=found / (last + 1), recall=found / max(gold, 1))
