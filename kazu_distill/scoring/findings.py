"""All that is found out about predictions: what files, console and page show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kazu_distill.scoring.breakdown import KnownMentions, breakdown, breakdown_json, groupings
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.curves import Curves, score_curves
from kazu_distill.scoring.evaluation import Evaluation, evaluate
from kazu_distill.scoring.label_faults import LabelFaults, label_faults
from kazu_distill.scoring.mistakes import Analysis, analyse
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.voters import Voters, score_voters


@dataclass(frozen=True, slots=True)
class Findings:
    """What is found out.

    Args:
        evaluation: figures.
        analysis: mistakes.
        groups: counts of entities that have something in common.
        curves: precision against recall of every class.
        by_threshold: whether the curves are by a model's threshold, and not by the scores of what it predicted.
        faults: what is wrong with labels by themselves.
        voters: those that predicted together, if several did.
    """

    evaluation: Evaluation
    analysis: Analysis
    groups: Mapping[str, Mapping[str, Counts]]
    curves: Curves
    by_threshold: bool
    faults: LabelFaults
    voters: Voters | None

    def as_json(self) -> dict[str, Any]:
        """The figures, as ``metrics.json`` has them."""
        return (
            self.evaluation.as_json()
            | self.analysis.as_json()
            | self.faults.as_json()
            | breakdown_json(self.groups)
            | (self.voters.as_json() if self.voters else {})
        )

    @property
    def error_records(self) -> list[dict[str, Any]]:
        """The lines of ``errors.jsonl``."""
        return [*(mistake.as_json() for mistake in self.analysis.mistakes), *self.faults.records]


def find(
    pairs: Sequence[Pair],
    labels: Sequence[str],
    *,
    seed: int,
    resamples: int,
    known: KnownMentions | None = None,
    curves: Curves | None = None,
) -> Findings:
    """Find out what there is to say of predictions.

    Args:
        pairs: gold and predicted documents.
        labels: the classes.
        seed: of the resamples.
        resamples: of the documents, for intervals.
        known: what was labelled in training.
        curves: those by a model's threshold; without them they are by the scores of the predictions.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
        ConfigError: a class has a name that the figures need.
    """
    evaluation = evaluate(pairs, labels, seed=seed, resamples=resamples)
    return Findings(
        evaluation=evaluation,
        analysis=analyse(pairs, labels),
        groups=breakdown(pairs, groupings(known)),
        curves=score_curves(evaluation.sides) if curves is None else curves,
        by_threshold=curves is not None,
        faults=label_faults(pairs),
        voters=score_voters(pairs, labels),
    )
