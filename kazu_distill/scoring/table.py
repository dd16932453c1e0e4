"""The table of scores that a stage prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table


def score_table(metrics: Mapping[str, float | int | None], labels: Sequence[str], *, title: str = "") -> Table:
    """A row for each class, then the mean over classes and the figures over all spans.

    Args:
        metrics: from ``kazu_distill.scoring.metrics.metrics_of``.
        labels: the classes, in the order of the rows.
        title: stands above the table.
    """
    table = Table(title=escape(title) or None, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("class")
    for name in ("precision", "recall", "F1", "support"):
        table.add_column(name, justify="right", no_wrap=True)
    for label in labels:
        figures = [_percent(metrics[f"{label}_{name}"]) for name in ("precision", "recall", "f1")]
        table.add_row(escape(label), *figures, f"{metrics[f'{label}_support']:,}")
    table.add_section()
    support = f"{metrics['gold_entities']:,}"
    table.add_row("mean over classes", "", "", _percent(metrics["mean_f1"]), support, style="bold")
    table.add_row(
        "all spans (micro)", *(_percent(metrics[f"micro_{name}"]) for name in ("precision", "recall", "f1")), support
    )
    return table


def _percent(value: float | None) -> str:
    """A figure as a percentage with one decimal; a dash where a class has neither gold nor predictions."""
    return "–" if value is None else f"{100 * value:.1f}"
