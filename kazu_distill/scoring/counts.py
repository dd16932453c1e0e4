"""Strict counting: a predicted span is right if gold has one with the same section, start, end and class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kazu_distill.documents import Document
from kazu_distill.scoring.pairs import Pair, ScoringError


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


def strict_counts(pairs: Iterable[Pair], labels: Sequence[str]) -> dict[str, Counts]:
    """Counts for each class, in the order of ``labels``.

    Every gold span counts, whatever was predicted for its class, section or document. Spans that coincide, nest or
    cross are counted each for itself. A span that one document has twice (same section, place and class; whatever the
    score) counts once.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
    """
    both: Counter[str] = Counter()
    only_predicted: Counter[str] = Counter()
    only_gold: Counter[str] = Counter()
    for gold, predicted in pairs:
        wanted, found = span_keys(gold), span_keys(predicted)
        both.update(key[3] for key in wanted & found)
        only_predicted.update(key[3] for key in found - wanted)
        only_gold.update(key[3] for key in wanted - found)
        unknown = (gold.labels() | predicted.labels()).difference(labels)
        if unknown:
            raise ScoringError(
                f'document "{gold.id}" has a span of the class "{min(unknown)}", which is not in the schema '
                f"({', '.join(labels)})"
            )
    return {label: Counts(both[label], only_predicted[label], only_gold[label]) for label in labels}


def span_keys(document: Document) -> set[tuple[int, int, int, str]]:
    """What tells the document's spans apart: the section's position, start, end and class."""
    return {(number, *span.place) for number, section in enumerate(document.sections) for span in section.spans}
