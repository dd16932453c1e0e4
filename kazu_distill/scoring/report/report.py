"""``report.html``: figures and mistakes on one page that needs no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from kazu_distill.document_files import atomic_writer
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.curves import Curves
from kazu_distill.scoring.evaluation import Evaluation
from kazu_distill.scoring.intervals import FEW
from kazu_distill.scoring.mistakes import Analysis
from kazu_distill.scoring.report.browser_data import browser_data, embedded_json
from kazu_distill.scoring.report.drawing import (
    BAR,
    CURVE_ACROSS,
    CURVE_UPWARDS,
    curve_drawing,
    learning_drawing,
)
from kazu_distill.scoring.report.learning import Evaluated
from kazu_distill.scoring.report.view import (
    MISTAKES,
    confusion_rows,
    group_rows,
    kind_rows,
    mention_tables,
    score_rows,
)
from kazu_distill.scoring.wording import percent, percent_range

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
    evaluation: Evaluation,
    analysis: Analysis,
    curves: Curves,
    groups: Mapping[str, Mapping[str, Counts]],
    learning: Sequence[Evaluated] = (),
    thresholds: Mapping[str, float] | None = None,
) -> None:
    """Write the page; it appears whole or not at all.

    Args:
        path: of the page.
        title: what was scored.
        evaluation: figures.
        analysis: mistakes.
        curves: of every class.
        groups: counts of entities that have something in common, from ``breakdown``.
        learning: evaluations in the course of the training; without any that section is left out.
        thresholds: by class, those that the predictions were decoded with, if they are known.
    """
    rows, axis = score_rows(evaluation, analysis)
    shown = analysis.mistakes[:MOST_MISTAKES]
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = _template().render(
        title=title,
        documents=evaluation.sides.documents,
        groups=group_rows(groups),
        evaluation=evaluation,
        metrics=evaluation.metrics,
        rows=rows,
        axis=axis,
        bar_width=BAR,
        few=FEW,
        rules=_RULES,
        mistake_kinds=MISTAKES,
        kinds=kind_rows(analysis.kinds),
        confusion=confusion_rows(analysis.confusion, evaluation.labels),
        curves=[curve_drawing(label, curve, (thresholds or {}).get(label)) for label, curve in curves.items()],
        across=CURVE_ACROSS,
        upwards=CURVE_UPWARDS,
        with_thresholds=thresholds is not None,
        learning=learning_drawing(learning) if learning else None,
        mentions=mention_tables(analysis.mistakes, evaluation.labels),
        mistakes=len(analysis.mistakes),
        shown=len(shown),
        data=Markup(embedded_json(browser_data(shown, evaluation.labels))),
        # The rules on content name the page's one style and one script, so that nothing that text smuggles in runs.
        style=Markup(style),
        style_hash=_hash(style),
        script=Markup(script),
        script_hash=_hash(script),
    )
    with atomic_writer(path) as file:
        # A class or an id may hold half of a surrogate pair, which UTF-8 cannot write.
        file.write(page.encode("utf-8", errors="replace"))


def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "range": percent_range, "number": _number}
    return environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline element."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _number(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"
