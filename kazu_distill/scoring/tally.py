"""How many entities of each document and class are right, predicted, and in gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.entities import Entities, entities_of
from kazu_distill.scoring.matching import Rule, match
from kazu_distill.scoring.pairs import Pair


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts ``(documents, classes, 3)``: right, predicted, gold.

    Rules that ignore the class have one column, ``""``, for all classes; right ones may then be halves.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.float64]

    def total(self) -> dict[str, Counts]:
        """The counts over all documents."""
        return {label: _counts(own) for label, own in zip(self.labels, self.counts.sum(axis=0), strict=True)}


@dataclass(frozen=True, slots=True)
class Sides:
    """The entities of gold and predicted documents."""

    labels: tuple[str, ...]
    documents: int
    gold: Entities
    predicted: Entities


def sides_of(pairs: Sequence[Pair], labels: Sequence[str]) -> Sides:
    """The entities of both sides of pairs.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
    """
    gold, predicted = ([pair[side] for pair in pairs] for side in (0, 1))
    return Sides(tuple(labels), len(pairs), entities_of(gold, labels), entities_of(predicted, labels))


def strict_counts(pairs: Sequence[Pair], labels: Sequence[str]) -> dict[str, Counts]:
    """Counts of all documents for each class, in the order of ``labels``, by strict matching.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
    """
    return tally(sides_of(pairs, labels), "strict").total()


def tally(sides: Sides, rule: Rule) -> Tally:
    """Count under a rule of ``matching``.

    Every gold entity counts, whatever was predicted for its class, section or document. Entities that coincide, nest or
    cross are counted each for itself.
    """
    matches = match(sides.gold, sides.predicted, rule)
    of_class = rule in ("strict", "relaxed")
    labels = sides.labels if of_class else ("",)
    counts = np.zeros((sides.documents, len(labels), 3))

    def add(
        column: int, entities: Entities, rows: NDArray[np.int64] | slice, worth: NDArray[np.float64] | None
    ) -> None:
        places = entities.documents[rows] * len(labels) + (entities.labels[rows] if of_class else 0)
        sums = np.bincount(places, weights=worth, minlength=sides.documents * len(labels))
        counts[:, :, column] = sums.reshape(sides.documents, len(labels))

    add(0, sides.gold, matches.gold, matches.credit)
    add(1, sides.predicted, slice(None), None)
    add(2, sides.gold, slice(None), None)
    return Tally(labels, counts)


def _counts(own: NDArray[np.float64]) -> Counts:
    right, predicted, gold = (int(each) if each.is_integer() else each for each in own.tolist())
    return Counts(right, predicted - right, gold - right)
