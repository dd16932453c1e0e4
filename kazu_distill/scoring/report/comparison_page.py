"""``comparison.html``: two predictions beside each other, or the models of a sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kazu_distill.scoring.comparison import Change, Comparison, Difference, differences
from kazu_distill.scoring.intervals import Interval
from kazu_distill.scoring.metrics import less
from kazu_distill.scoring.model_figures import ModelFigures
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.ranking import Ranked
from kazu_distill.scoring.report.drawing import BAR, Axis, Bar, bar, bar_axis
from kazu_distill.scoring.report.writing import write_page
from kazu_distill.scoring.sweep import SweepRanking

_DOCUMENTS, _ENTITIES = 50, 12  # that are shown, of each list and of each document
_TOTALS = {"mean": "mean over classes", "micro": "all spans (micro)"}


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """F1 of a class, or of all together, of two predictions; and the difference as a bar."""

    name: str
    first: float | None
    second: float | None
    difference: float | None
    interval: Interval
    bar: Bar
    sure: bool
    total: bool


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A document, and some of the entities that one prediction has and the other has not."""

    change: Change
    entities: Sequence[Difference]
    more: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A model of a sweep with its bar, and the point where it lies in the drawing, if its speed is known."""

    job: Ranked[ModelFigures | None]
    f1: float | None
    interval: Interval
    bar: Bar
    behind: float | None
    x: float | None
    y: float | None
    low: float | None
    high: float | None


def write_comparison(
    path: Path, comparison: Comparison, pairs: tuple[Sequence[Pair], Sequence[Pair]], *, names: tuple[str, str]
) -> None:
    """Write the page of two predictions.

    Args:
        path: of the page.
        comparison: of the two.
        pairs: gold with the first predictions, and with the second.
        names: of the two.
    """
    rows, axis = _difference_rows(comparison)
    better, worse = comparison.better(), comparison.worse()
    values = {
        "title": f"{names[1]} set against {names[0]}",
        "names": names,
        "documents": len(pairs[0]),
        "changed": len(comparison.changes),
        "rows": rows,
        "axis": axis,
        "bar_width": BAR,
        "lists": [
            ("The second is better", len(better), _change_rows(better, pairs)),
            ("The second is worse", len(worse), _change_rows(worse, pairs)),
        ],
    }
    write_page(path, "comparison.html", values)


def write_sweep(path: Path, ranking: SweepRanking) -> None:
    """Write the page of the models of a sweep."""
    axis = _job_axis(ranking)
    across, ticks = _hours_axis(ranking)
    upwards = Axis(axis.low, axis.high, 250, 12)
    rows = [_job_row(job, ranking.jobs[0], axis, across, upwards) for job in ranking.jobs]
    values = {
        "title": f"{len(rows)} model{'' if len(rows) == 1 else 's'} of a sweep",
        "ranking": ranking,
        "rows": rows,
        "axis": axis,
        "bar_width": BAR,
        "across": across,
        "ticks": ticks,
        "upwards": upwards,
    }
    write_page(path, "sweep.html", values)


def _difference_rows(comparison: Comparison) -> tuple[list[DifferenceRow], Axis]:
    names = {prefix: f"{prefix}_f1" for prefix in (*comparison.labels, *_TOTALS)}
    apart = {prefix: comparison.difference(name) for prefix, name in names.items()}
    intervals = {prefix: comparison.intervals[name] for prefix, name in names.items()}
    drawn = [*apart.values(), *(edge for each in intervals.values() for edge in (each.low, each.high))]
    # The same length on both sides of zero, a round number of points.
    most = math.ceil(20 * max([0.05, *(abs(each) for each in drawn if each is not None)])) / 20
    axis = Axis(-most, most, 8, BAR - 8)
    return [
        DifferenceRow(
            name=_TOTALS.get(prefix, prefix),
            first=comparison.first[name],
            second=comparison.second[name],
            difference=apart[prefix],
            interval=intervals[prefix],
            bar=bar(axis, apart[prefix], intervals[prefix]),
            sure=comparison.is_sure(name),
            total=prefix in _TOTALS,
        )
        for prefix, name in names.items()
    ], axis


def _change_rows(changes: Sequence[Change], pairs: tuple[Sequence[Pair], Sequence[Pair]]) -> list[ChangeRow]:
    shown = changes[:_DOCUMENTS]
    places = {gold.id: number for number, (gold, _) in enumerate(pairs[0])}
    rows = []
    for change in shown:
        (gold, one), (_, other) = (side[places[change.document]] for side in pairs)
        entities = differences(gold, one, other)
        rows.append(ChangeRow(change, entities[:_ENTITIES], max(0, len(entities) - _ENTITIES)))
    return rows


def _job_axis(ranking: SweepRanking) -> Axis:
    intervals = {str(number): job.intervals["mean_f1"] for number, job in enumerate(ranking.jobs)}
    figures = {str(number): job.figures["mean_f1"] for number, job in enumerate(ranking.jobs)}
    return bar_axis(intervals, figures, list(figures))


def _hours_axis(ranking: SweepRanking) -> tuple[Axis, list[tuple[float, float]]]:
    """An axis of powers of ten for hours, and round hours on it with their pixels."""
    powers = [math.log10(job.model.hours_per_million) for job in ranking.jobs if job.model]
    low, high = math.floor(min(powers, default=0)), math.ceil(max(powers, default=1))
    high = max(high, low + 1)
    axis = Axis(low, high, 44, 624)
    return axis, [(10.0**power, axis.at(power)) for power in range(low, high + 1)]


def _job_row(
    job: Ranked[ModelFigures | None], best: Ranked[ModelFigures | None], axis: Axis, across: Axis, upwards: Axis
) -> JobRow:
    f1, interval = job.figures["mean_f1"], job.intervals["mean_f1"]

    def y(figure: float | None) -> float | None:
        return None if figure is None else upwards.at(figure)

    return JobRow(
        job=job,
        f1=f1,
        interval=interval,
        bar=bar(axis, f1, interval),
        behind=None if job.differences is None else less(f1, best.figures["mean_f1"]),
        x=across.at(math.log10(job.model.hours_per_million)) if job.model else None,
        y=y(f1),
        low=y(interval.low),
        high=y(interval.high),
    )
