"""``systems.md``: ways of labelling the same documents as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from kazu_distill.markdown import as_code, as_text, table
from kazu_distill.scoring.report.sweep_markdown import score_cells
from kazu_distill.scoring.systems import SystemEntry, SystemsRanking
from kazu_distill.scoring.wording import count, percent, quantity

_HEAD = (
    "system", "mean F1 >", "95 % >", "micro F1 >", "95 % >", "against the best >", "95 % >",
    "documents without a usable answer >", "answers not readable, % >", "mentions not in the text, % >",
    "documents/s >", "US dollars a million >",
)  # fmt: skip


def systems_markdown(ranking: SystemsRanking) -> str:
    """The page; names stand in code spans, so that nothing of them is markup."""
    return "\n\n".join(["# Ways of labelling", *_paragraphs(ranking)]) + "\n"


def _paragraphs(ranking: SystemsRanking) -> Iterator[str]:
    yield (
        f"Strict F1 in per cent on {ranking.documents:,} documents, the best first, with 95 % intervals (bootstrap "
        "over documents). Differences are of mean F1, on the same resamples: where the interval leaves out zero, the "
        "best is surely better. Documents without a usable answer count as documents without spans. Answers, mentions, "
        "speed and cost are of a system's whole run; a dash stands where something is not known or has no meaning."
    )
    yield table(_HEAD, [_row(job, ranking.jobs[0]) for job in ranking.jobs])
    yield "\n".join(_line(job) for job in ranking.jobs)


def _row(job: SystemEntry, best: SystemEntry) -> list[str]:
    own = job.model
    return [
        as_code(job.name),
        *score_cells(job, best),
        count(own.failed),
        percent(own.unreadable_share),
        percent(own.ungrounded_share),
        quantity(own.documents_per_second) + ("*" if own.is_rough else ""),
        "–" if own.cost_per_million is None else f"{own.cost_per_million:,.2f}",
    ]


def _line(job: SystemEntry) -> str:
    own = job.model
    said = [f"{own.kind}, {as_code(own.by)}, a run on {own.documents:,} documents", *map(as_text, own.notes)]
    return f"- {as_code(job.name)}: {'; '.join(said)}"
