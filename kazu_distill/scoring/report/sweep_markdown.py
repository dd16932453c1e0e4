"""``comparison.md``: a ranking as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from kazu_distill.markdown import as_code, table
from kazu_distill.scoring.metrics import less
from kazu_distill.scoring.model_figures import MILLION, ModelFigures
from kazu_distill.scoring.ranking import Ranked
from kazu_distill.scoring.sweep import SweepRanking
from kazu_distill.scoring.wording import percent, percent_range, points, points_range, quantity

_HEAD = (
    "model", "mean F1 >", "95 % >", "micro F1 >", "95 % >", "against the best >", "95 % >", "million parameters >",
    "MB >", "documents/s >", "hours a million >", "US dollars a million >",
)  # fmt: skip


def sweep_markdown(ranking: SweepRanking) -> str:
    """The page; names of models stand in code spans, so that nothing of them is markup."""
    return "\n\n".join(["# Comparison", *_paragraphs(ranking)]) + "\n"


def _paragraphs(ranking: SweepRanking) -> Iterator[str]:
    yield (
        f"Strict F1 in per cent on {ranking.documents:,} documents, the best first, with 95 % intervals (bootstrap "
        "over documents). Differences are of mean F1, on the same resamples: where the interval leaves out zero, the "
        "best is surely better. Hours and dollars are for a million documents such as these."
    )
    if not ranking.same_gold:
        yield "**Not all were scored against the same gold: their figures cannot be set side by side.**"
    yield table(_HEAD, [_row(job, ranking.jobs[0]) for job in ranking.jobs])
    yield "\n".join(f"- {as_code(job.name)}: {job.model.sentence()}" for job in ranking.jobs if job.model)


def score_cells(job: Ranked[object], best: Ranked[object]) -> list[str]:
    """Mean and micro F1 with their intervals, and what the mean is behind the best."""
    scores = [
        cell
        for name in ("mean_f1", "micro_f1")
        for cell in (percent(job.figures[name]), percent_range(job.intervals[name]))
    ]
    if job.differences is None:
        return [*scores, "", ""]
    behind = less(job.figures["mean_f1"], best.figures["mean_f1"])
    return [*scores, points(behind), points_range(job.differences["mean_f1"])]


def _row(job: Ranked[ModelFigures | None], best: Ranked[ModelFigures | None]) -> list[str]:
    model, scores = job.model, score_cells(job, best)
    if model is None:
        return [as_code(job.name), *scores, *["–"] * 5]
    return [
        as_code(job.name),
        *scores,
        "–" if model.parameters is None else f"{model.parameters / MILLION:,.1f}",
        f"{model.bytes / MILLION:,.1f}",
        quantity(model.documents_per_second) + ("*" if model.is_rough else ""),
        quantity(model.hours_per_million),
        "–" if model.cost_per_million is None else f"{model.cost_per_million:,.2f}",
    ]
