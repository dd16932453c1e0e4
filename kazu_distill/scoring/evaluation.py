"""All that is measured of predictions, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.intervals import FEW, Interval, intervals
from kazu_distill.scoring.matching import RULES
from kazu_distill.scoring.metrics import Metrics, figures_of, metrics_of
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.tally import Sides, sides_of, tally
from kazu_distill.scoring.tokens import token_tally


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What predictions reach.

    Args:
        labels: the classes.
        sides: the entities.
        metrics: strict figures, flat.
        intervals: 95 % intervals of those, by name.
        looser: for each other way to count, its figures over all entities: precision, recall and f1.
        few: classes with so few gold entities that their figures say little.
    """

    labels: tuple[str, ...]
    sides: Sides
    metrics: Metrics
    intervals: Mapping[str, Interval]
    looser: Mapping[str, Mapping[str, float | None]]
    few: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The strict figures under their flat names, and the rest beside them."""
        return {
            **self.metrics,
            "intervals_95": {name: asdict(interval) for name, interval in self.intervals.items()},
            "micro_by_rule": {name: dict(own) for name, own in self.looser.items()},
            "few": list(self.few),
        }


def evaluate(pairs: Sequence[Pair], labels: Sequence[str], *, seed: int, resamples: int) -> Evaluation:
    """Measure predictions by strict matching, with intervals; and by looser rules over all classes.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
        ConfigError: a class has a name that the figures need.
    """
    sides = sides_of(pairs, labels)
    strict = tally(sides, "strict")
    counts = strict.total()
    return Evaluation(
        labels=strict.labels,
        sides=sides,
        metrics=metrics_of(counts),
        intervals=intervals(strict, seed=seed, resamples=resamples),
        looser={
            name: figures_of(sum(own.total().values(), Counts()))
            for name, own in [
                *((rule, tally(sides, rule)) for rule in RULES if rule != "strict"),
                ("token", token_tally(pairs, labels)),
            ]
        },
        few=tuple(label for label, own in counts.items() if own.gold + own.predicted > 0 and own.gold < FEW),
    )
