"""``report.html``: figures and mistakes on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kazu_distill.scoring.findings import Findings
from kazu_distill.scoring.intervals import FEW
from kazu_distill.scoring.model_figures import ModelFigures
from kazu_distill.scoring.report.browser_data import browser_data
from kazu_distill.scoring.report.drawing import BAR, CURVE_ACROSS, CURVE_UPWARDS, curve_drawing, learning_drawing
from kazu_distill.scoring.report.labels_view import conflict_rows, missing_rows, voter_tables
from kazu_distill.scoring.report.learning import Evaluated
from kazu_distill.scoring.report.view import (
    MISTAKES,
    confusion_rows,
    group_rows,
    kind_rows,
    mention_tables,
    score_rows,
)
from kazu_distill.scoring.report.writing import write_page

MOST_MISTAKES = 20_000
"""Mistakes that the page holds: about 8 MB of text, which browsers still search while one types."""

_RULES = {
    "relaxed": "class right, at least one character in common",
    "boundary": "start and end right, whatever the class",
    "partial": "at least one character in common, whatever the class; one half where start or end differ",
    "token": "counted by word instead of by span",
}


def write_report(
    path: Path,
    *,
    title: str,
    findings: Findings,
    learning: Sequence[Evaluated] = (),
    model: ModelFigures | None = None,
) -> None:
    """Write the page; it appears whole or not at all.

    Args:
        path: of the page.
        title: what was scored.
        findings: what was found out.
        learning: evaluations in the course of the training; without any that section is left out.
        model: size and speed of what made the predictions, if it is known.
    """
    evaluation, analysis = findings.evaluation, findings.analysis
    rows, axis = score_rows(evaluation, analysis)
    shown = analysis.mistakes[:MOST_MISTAKES]
    values = {
        "title": title,
        "documents": evaluation.sides.documents,
        "groups": group_rows(findings.groups),
        "evaluation": evaluation,
        "metrics": evaluation.metrics,
        "model": model,
        "rows": rows,
        "axis": axis,
        "bar_width": BAR,
        "few": FEW,
        "rules": _RULES,
        "mistake_kinds": MISTAKES,
        "kinds": kind_rows(analysis.kinds),
        "confusion": confusion_rows(analysis.confusion, evaluation.labels),
        "curves": [curve_drawing(label, curve) for label, curve in findings.curves.items()],
        "across": CURVE_ACROSS,
        "upwards": CURVE_UPWARDS,
        "by_threshold": findings.by_threshold,
        "learning": learning_drawing(learning) if learning else None,
        "faults": findings.faults,
        "conflicts": conflict_rows(findings.faults),
        "missing": missing_rows(findings.faults),
        "voters": voter_tables(findings.voters) if findings.voters else None,
        "mentions": mention_tables(analysis.mistakes, evaluation.labels),
        "mistakes": len(analysis.mistakes),
        "shown": len(shown),
    }
    write_page(path, "report.html", values, data=browser_data(shown, evaluation.labels))
