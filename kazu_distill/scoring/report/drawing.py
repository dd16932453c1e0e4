"""Where the lines and bars of the page's drawings lie, in pixels of each drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kazu_distill.scoring.curves import Curve
from kazu_distill.scoring.intervals import Interval
from kazu_distill.scoring.report.learning import Evaluated

BAR = 180
"""Width of the bars in tables."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of figures that is drawn from one pixel to another, which may be the smaller."""

    low: float
    high: float
    first: float
    last: float

    def at(self, figure: float) -> float:
        """The pixel of a figure."""
        share = (figure - self.low) / (self.high - self.low)
        return round(self.first + share * (self.last - self.first), 1)

    def ticks(self, about: int) -> list[tuple[float, float]]:
        """Round figures and their pixels, about so many."""
        rough = (self.high - self.low) / about
        power = 10 ** math.floor(math.log10(rough))
        step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda each: abs(each - rough))
        begin, end = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(round(number * step, 9), self.at(number * step)) for number in range(begin, end + 1)]


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval as a bar, and its figure as a point on it; None where it is not known."""

    low: float | None
    high: float | None
    point: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points ``(x, y)``."""

    points: Sequence[tuple[float, float]]

    @property
    def path(self) -> str:
        """As SVG has it."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True, slots=True)
class CurveDrawing:
    """Precision (upwards) against recall (to the right) of a class, with one point marked."""

    label: str
    line: Line
    marked: tuple[float, float] | None
    precision: float | None
    recall: float | None
    threshold: float | None
    cuts: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class LearningDrawing:
    """Mean and micro F1 (upwards) by step (to the right)."""

    across: Axis
    upwards: Axis
    mean: Line
    micro: Line
    best: Evaluated | None


CURVE_ACROSS, CURVE_UPWARDS = Axis(0, 1, 34, 194), Axis(0, 1, 168, 8)


def bar_axis(
    intervals: Mapping[str, Interval], figures: Mapping[str, float | int | None], names: Sequence[str]
) -> Axis:
    """An axis up to 1 from the tenth below all that is drawn, so that narrow intervals can still be told apart."""
    known = [figure for name in names if (figure := figures[name]) is not None]
    known += [interval.low for name in names if (interval := intervals[name]).low is not None]
    low = math.floor(10 * min(known, default=0.0)) / 10
    return Axis(min(low, 0.9), 1, 8, BAR - 8)


def bar(axis: Axis, figure: float | None, interval: Interval) -> Bar:
    """A figure and its interval on an axis."""
    return Bar(*(None if each is None else axis.at(each) for each in (interval.low, interval.high, figure)))


def stacked(counts: Sequence[int], width: float) -> list[tuple[float, float]]:
    """Start and width of each count's part of a bar; all together fill it, if any is above zero."""
    total = sum(counts)
    edges = np.cumsum([0, *counts]) * (width / total if total else 0)
    return [(round(float(begin), 2), round(float(end - begin), 2)) for begin, end in pairwise(edges)]


def curve_drawing(label: str, curve: Curve, threshold: float | None) -> CurveDrawing:
    """A curve, marked where it keeps what reaches the threshold, or all spans if none is known."""
    points = [
        (CURVE_ACROSS.at(recall), CURVE_UPWARDS.at(precision))
        for precision, recall in zip(curve.precision.tolist(), curve.recall.tolist(), strict=True)
    ]
    if not points:
        return CurveDrawing(label, Line(()), None, None, None, threshold, None)
    # Scores were rounded on their way through a file, so that one at the threshold may stand a little below it.
    kept = len(curve) if threshold is None else int(np.sum(curve.cuts >= threshold - 1e-6))
    place = max(kept, 1) - 1
    precision, recall = float(curve.precision[place]), float(curve.recall[place])
    cuts = float(curve.cuts[-1]), float(curve.cuts[0])
    return CurveDrawing(label, Line(points), points[place], precision, recall, threshold, cuts)


def learning_drawing(learning: Sequence[Evaluated]) -> LearningDrawing:
    """The course of a training; at least one evaluation is needed."""
    known = [figure for each in learning for figure in (each.mean_f1, each.micro_f1) if figure is not None]
    low, high = math.floor(10 * min(known)) / 10, math.ceil(10 * max(known)) / 10
    upwards = Axis(low, high if high > low else low + 0.1, 210, 12)
    across = Axis(0, max(learning[-1].step, 1), 44, 624)

    def line(figures: Sequence[float | None]) -> Line:
        return Line(
            [
                (across.at(each.step), upwards.at(figure))
                for each, figure in zip(learning, figures, strict=True)
                if figure is not None
            ]
        )

    by_mean = [(each.mean_f1, -each.step, each) for each in learning if each.mean_f1 is not None]
    return LearningDrawing(
        across=across,
        upwards=upwards,
        mean=line([each.mean_f1 for each in learning]),
        micro=line([each.micro_f1 for each in learning]),
        best=max(by_mean, key=lambda each: each[:2])[2] if by_mean else None,
    )
