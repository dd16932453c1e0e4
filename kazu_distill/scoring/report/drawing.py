"""Where the lines and bars of the page's drawings lie, in pixels of each drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
class CurvePoint:
    """Where a point of a curve lies, and what it says."""

    x: float
    y: float
    cut: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class CurveDrawing:
    """Precision (upwards) against recall (to the right) of a class: what is reached at each point of the line.

    ``chosen`` is the point that the predictions are at.
    """

    label: str
    line: Line
    points: Sequence[CurvePoint]
    chosen: CurvePoint | None


@dataclass(frozen=True, slots=True)
class LearningDrawing:
    """Mean and micro F1 (upwards) by step (to the right), and where there are several classes that of each."""

    across: Axis
    upwards: Axis
    mean: Line
    micro: Line
    best: Evaluated | None
    by_class: Sequence[ClassLearning]
    class_across: Axis
    class_upwards: Axis


@dataclass(frozen=True, slots=True)
class ClassLearning:
    """F1 of a class by step, beside the mean; its best figure, and that of the last evaluation."""

    label: str
    line: Line
    mean: Line
    best: float | None
    best_step: int | None
    last: float | None


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


def curve_drawing(label: str, curve: Curve) -> CurveDrawing:
    """A curve with the point that the predictions are at."""
    points = [
        CurvePoint(CURVE_ACROSS.at(recall), CURVE_UPWARDS.at(precision), cut, precision, recall)
        for cut, precision, recall in zip(
            curve.cuts.tolist(), curve.precision.tolist(), curve.recall.tolist(), strict=True
        )
    ]
    line = Line([(point.x, point.y) for point in points])
    return CurveDrawing(label, line, points, None if curve.chosen is None else points[curve.chosen])


def learning_drawing(learning: Sequence[Evaluated]) -> LearningDrawing:
    """The course of a training; at least one evaluation is needed."""
    together = [figure for each in learning for figure in (each.mean_f1, each.micro_f1)]
    labels = list(dict.fromkeys(label for each in learning for label in each.by_class))
    upwards, across = _upwards(together, 210, 12), Axis(0, max(learning[-1].step, 1), 44, 624)
    # The classes are drawn small, and all on the same axes, so that they can be compared.
    by_class = [figure for each in learning for figure in each.by_class.values()]
    class_upwards, class_across = _upwards([*together, *by_class], 108, 8), replace(across, first=34, last=194)
    means = [each.mean_f1 for each in learning]

    def line(figures: Sequence[float | None], right: Axis, up: Axis) -> Line:
        pairs = zip(learning, figures, strict=True)
        return Line([(right.at(each.step), up.at(figure)) for each, figure in pairs if figure is not None])

    def of_class(label: str) -> ClassLearning:
        figures = [each.by_class.get(label) for each in learning]
        best, best_step = _best(learning, figures)
        mean = line(means, class_across, class_upwards)
        return ClassLearning(label, line(figures, class_across, class_upwards), mean, best, best_step, figures[-1])

    _, best_step = _best(learning, means)
    return LearningDrawing(
        across=across,
        upwards=upwards,
        mean=line(means, across, upwards),
        micro=line([each.micro_f1 for each in learning], across, upwards),
        best=next((each for each in learning if each.step == best_step), None),
        by_class=[of_class(label) for label in labels] if len(labels) > 1 else [],
        class_across=class_across,
        class_upwards=class_upwards,
    )


def _upwards(figures: Iterable[float | None], first: float, last: float) -> Axis:
    """An axis by tenths that holds some figures."""
    known = [figure for figure in figures if figure is not None]
    low, high = math.floor(10 * min(known)) / 10, math.ceil(10 * max(known)) / 10
    return Axis(low, high if high > low else low + 0.1, first, last)


def _best(learning: Sequence[Evaluated], figures: Sequence[float | None]) -> tuple[float | None, int | None]:
    """The best figure and its step; of equally good ones the first."""
    known = [(figure, -each.step) for each, figure in zip(learning, figures, strict=True) if figure is not None]
    figure, step = max(known, default=(None, None))
    return figure, None if step is None else -step
