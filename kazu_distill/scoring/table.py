"""The table of scores that a stage prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from kazu_distill.scoring.comparison import Comparison
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.intervals import FEW, Interval
from kazu_distill.scoring.metrics import f1, less
from kazu_distill.scoring.model_figures import MILLION
from kazu_distill.scoring.sweep import SweepRanking
from kazu_distill.scoring.systems import SystemsRanking
from kazu_distill.scoring.voters import Voters
from kazu_distill.scoring.wording import percent, percent_range, points, points_range, quantity


def score_table(
    metrics: Mapping[str, float | int | None],
    labels: Sequence[str],
    *,
    title: str = "",
    intervals: Mapping[str, Interval] | None = None,
    few: Sequence[str] = (),
) -> Table:
    """A row for each class, then the mean over classes and the figures over all spans.

    Args:
        metrics: from ``kazu_distill.scoring.metrics.metrics_of``.
        labels: the classes, in the order of the rows.
        title: stands above the table.
        intervals: of the figures; that of F1 has a column.
        few: classes that are marked, since their figures say little.
    """
    table = Table(title=escape(title) or None, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("class")
    for name in ("precision", "recall", "F1", *(["95 %"] if intervals else []), "support"):
        table.add_column(name, justify="right", no_wrap=True)

    def add(name: str, prefix: str, support: object, *, figures: Sequence[str], style: str = "") -> None:
        cells = [percent(metrics[f"{prefix}_{figure}"]) if figure else "" for figure in figures]
        if intervals:
            cells.append(percent_range(intervals[f"{prefix}_f1"]))
        table.add_row(name, *cells, f"{support:,}", style=style)

    for label in labels:
        mark = " *" if label in few else ""
        add(escape(label) + mark, label, metrics[f"{label}_support"], figures=("precision", "recall", "f1"))
    table.add_section()
    support = metrics["gold_entities"]
    add("mean over classes", "mean", support, figures=("", "", "f1"), style="bold")
    add("all spans (micro)", "micro", support, figures=("precision", "recall", "f1"))
    if few:
        table.caption = f"* fewer than {FEW} in gold"
        table.caption_justify = "left"
    return table


def comparison_table(comparison: Comparison, *, names: tuple[str, str]) -> Table:
    """F1 of two predictions, and their difference with its 95 % interval; bold where that leaves out zero."""
    table = Table(title="strict F1", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("class")
    for name in (*map(escape, names), "difference", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    totals = {"mean": "mean over classes", "micro": "all spans (micro)"}
    for prefix in (*comparison.labels, *totals):
        figures = [own[f"{prefix}_f1"] for own in (comparison.first, comparison.second)]
        interval = comparison.intervals[f"{prefix}_f1"]
        table.add_row(
            totals.get(prefix) or escape(prefix),
            *map(percent, figures),
            points(comparison.difference(f"{prefix}_f1")),
            points_range(interval),
            style="bold" if comparison.is_sure(f"{prefix}_f1") else "",
            end_section=prefix == comparison.labels[-1],
        )
    return table


def rules_line(looser: Mapping[str, Mapping[str, float | None]]) -> str:
    """Micro F1 by the other rules, in a line."""
    return ", ".join(f"{name} {percent(figures['f1'])}" for name, figures in looser.items())


def groups_line(groups: Mapping[str, Counts]) -> str:
    """F1 of groups of entities, in a line."""
    return ", ".join(f"{name} {percent(f1(counts))} ({counts.gold:,} in gold)" for name, counts in groups.items())


def voters_table(voters: Voters) -> Table:
    """Each voter's own labels against gold, and how far it agrees with each other one."""
    table = Table(title="voters, each by itself", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("voter", overflow="fold")
    numbers = [str(number + 1) for number in range(len(voters.scores))]
    for name in ("precision", "recall", "micro F1", "mean F1", *numbers):
        table.add_column(name, justify="right", no_wrap=True)
    agreement = {frozenset(pair["voters"]): pair["f1"] for pair in voters.agreement}
    for number, own in zip(numbers, voters.scores, strict=True):
        figures = [own.metrics[name] for name in ("micro_precision", "micro_recall", "micro_f1", "mean_f1")]
        others = [agreement.get(frozenset((own.voter, other.voter))) for other in voters.scores]
        table.add_row(f"{number} {escape(own.voter)}", *map(percent, [*figures, *others]))
    table.caption, table.caption_justify = "columns with a number: F1 against that voter's labels", "left"
    return table


def ranking_table(ranking: SweepRanking) -> Table:
    """The models of a sweep, the best first: F1, size, speed and what a million documents take."""
    table = Table(title=f"{ranking.documents:,} documents, strict F1", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("model", overflow="fold")
    for name in ("mean F1", "95 %", "micro F1", "MB", "docs/s", "h/M", "$/M"):
        table.add_column(name, justify="right", no_wrap=True)
    notes = ["h/M, $/M: hours and US dollars for a million documents"]
    for job in ranking.jobs:
        model = job.model
        cost = model.cost_per_million if model else None
        table.add_row(
            escape(job.name),
            percent(job.figures["mean_f1"]),
            percent_range(job.intervals["mean_f1"]),
            percent(job.figures["micro_f1"]),
            f"{model.bytes / MILLION:,.1f}" if model else "–",
            quantity(model.documents_per_second if model else None),
            quantity(model.hours_per_million if model else None),
            "–" if cost is None else f"{cost:,.2f}",
        )
    if not ranking.same_gold:
        notes.append("not all on the same gold: figures cannot be set side by side")
    table.caption, table.caption_justify = "\n".join(notes), "left"
    return table


def systems_table(ranking: SystemsRanking) -> Table:
    """Ways of labelling, the best first: F1, what they are behind, what failed, speed and cost."""
    table = Table(title=f"{ranking.documents:,} documents, strict F1", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("system", overflow="fold")
    names = (
        "mean F1",
        "95 %",
        "micro F1",
        "95 %",
        "to the best",
        "95 %",
        "failed",
        "unread %",
        "no place %",
        "docs/s",
        "$/M",
    )
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    best = ranking.jobs[0]
    for job in ranking.jobs:
        own, differences = job.model, job.differences
        table.add_row(
            escape(job.name),
            percent(job.figures["mean_f1"]),
            percent_range(job.intervals["mean_f1"]),
            percent(job.figures["micro_f1"]),
            percent_range(job.intervals["micro_f1"]),
            points(less(job.figures["mean_f1"], best.figures["mean_f1"])) if differences else "",
            points_range(differences["mean_f1"]) if differences else "",
            f"{own.failed:,}",
            percent(own.unreadable_share),
            percent(own.ungrounded_share),
            quantity(own.documents_per_second) + ("*" if own.is_rough else ""),
            "–" if own.cost_per_million is None else f"{own.cost_per_million:,.2f}",
        )
    table.caption = (
        "failed: documents without a usable answer, which count as without spans; unread: answers that could not be "
        "read; no place: mentions that are not in the text; $/M: US dollars for a million documents; –: not known"
    )
    if any(job.model.is_rough for job in ranking.jobs):
        table.caption += "; * timed on too little to rely on"
    table.caption_justify = "left"
    return table
