"""How many spans gold and predictions have in common, and how many each has alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans that are in both, only in the predictions, and only in gold; whole numbers, but where a rule has halves."""

    true_positives: float = 0
    false_positives: float = 0
    false_negatives: float = 0

    @property
    def gold(self) -> float:
        """Gold spans."""
        return self.true_positives + self.false_negatives

    @property
    def predicted(self) -> float:
        """Predicted spans."""
        return self.true_positives + self.false_positives

    def __add__(self, other: Counts) -> Counts:
        """Counts of both together."""
        return Counts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )
