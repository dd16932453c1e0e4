"""``systems.html``: ways of labelling the same documents, beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kazu_distill.scoring.intervals import Interval
from kazu_distill.scoring.metrics import less
from kazu_distill.scoring.report.drawing import BAR, Axis, Bar, bar, bar_axis
from kazu_distill.scoring.report.writing import write_page
from kazu_distill.scoring.systems import SystemEntry, SystemsRanking


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A system with its bar."""

    job: SystemEntry
    f1: float | None
    interval: Interval
    bar: Bar
    behind: float | None


def write_systems(path: Path, ranking: SystemsRanking) -> None:
    """Write the page."""
    figures = {str(number): job.figures["mean_f1"] for number, job in enumerate(ranking.jobs)}
    intervals = {str(number): job.intervals["mean_f1"] for number, job in enumerate(ranking.jobs)}
    axis = bar_axis(intervals, figures, list(figures))
    values = {
        "title": f"{len(ranking.jobs)} way{'' if len(ranking.jobs) == 1 else 's'} of labelling",
        "ranking": ranking,
        "rows": [_row(job, ranking.jobs[0], axis) for job in ranking.jobs],
        "axis": axis,
        "bar_width": BAR,
    }
    write_page(path, "systems.html", values)


def _row(job: SystemEntry, best: SystemEntry, axis: Axis) -> SystemRow:
    f1, interval = job.figures["mean_f1"], job.intervals["mean_f1"]
    behind = None if job.differences is None else less(f1, best.figures["mean_f1"])
    return SystemRow(job, f1, interval, bar(axis, f1, interval), behind)
