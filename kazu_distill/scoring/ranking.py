"""Predictions for the same documents, ranked: what each reaches, and what it is behind the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from kazu_distill.scoring.intervals import Interval, figures, paired_intervals
from kazu_distill.scoring.tally import Tally

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T_co]):
    """Predictions by name: the documents, counts by document, and what is known of who made them.

    Args:
        name: what tells it from the others.
        documents: their ids.
        strict: counts of these documents.
        intervals: 95 % intervals of the figures.
        model: size, speed or whatever is known.
    """

    name: str
    documents: tuple[str, ...]
    strict: Tally
    intervals: Mapping[str, Interval]
    model: T_co


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T_co]):
    """A candidate in the ranking.

    Args:
        name: what tells it from the others.
        figures: strict ones by name; None where one has no meaning.
        intervals: 95 % intervals of them.
        differences: 95 % intervals of its figures less those of the best; None for the best itself, and for one whose
            gold is another.
        model: what is known of who made the predictions.
    """

    name: str
    figures: Mapping[str, float | None]
    intervals: Mapping[str, Interval]
    differences: Mapping[str, Interval] | None
    model: T_co


@dataclass(frozen=True, slots=True)
class Ranking(Generic[T_co]):
    """Candidates by mean F1, the best first.

    Args:
        labels: the classes of the best.
        documents: on which the best was scored.
        jobs: the candidates.
        same_gold: whether all were scored against the same gold; if not, the figures cannot be set side by side.
    """

    labels: tuple[str, ...]
    documents: int
    jobs: Sequence[Ranked[T_co]]
    same_gold: bool


def rank(candidates: Sequence[Candidate[T_co]], *, seed: int, resamples: int) -> Ranking[T_co]:
    """Rank by mean F1, with what each is behind the best on the same resamples of documents.

    Raises:
        ValueError: there is nothing to rank.
    """
    if not candidates:
        raise ValueError("nothing to rank")
    reached = [_figures(each.strict) for each in candidates]
    order = sorted(range(len(candidates)), key=lambda number: -(reached[number]["mean_f1"] or 0.0))
    best = candidates[order[0]]
    ranked = [
        Ranked(
            name=candidates[number].name,
            figures=reached[number],
            intervals=candidates[number].intervals,
            differences=paired_intervals(best.strict, candidates[number].strict, seed=seed, resamples=resamples)
            if candidates[number] is not best and _same_gold(best, candidates[number])
            else None,
            model=candidates[number].model,
        )
        for number in order
    ]
    same_gold = all(_same_gold(best, each) for each in candidates)
    return Ranking(best.strict.labels, len(best.documents), ranked, same_gold)


def _figures(strict: Tally) -> dict[str, float | None]:
    reached = figures(strict.counts.sum(axis=0), strict.labels)
    return {name: None if np.isnan(value) else float(value) for name, value in reached.items()}


def _same_gold(one: Candidate[T_co], other: Candidate[T_co]) -> bool:
    return (
        one.documents == other.documents
        and one.strict.labels == other.strict.labels
        and np.array_equal(one.strict.counts[:, :, 2], other.strict.counts[:, :, 2])
    )
