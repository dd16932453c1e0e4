"""How far voters agree with each other: strict F1 of every two of them, per class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from kazu_distill.documents import Span


class Agreement:
    """Counts what two voters both say (section, class and edges), document by document; memory does not grow."""

    def __init__(self) -> None:
        self._documents: Counter[tuple[str, str]] = Counter()
        self._both: Counter[tuple[str, str, str]] = Counter()
        self._either: Counter[tuple[str, str, str]] = Counter()  # the spans of one and of the other, added up

    def add(self, opinions: Mapping[str, Sequence[Sequence[Span]]]) -> None:
        """Count a document.

        Args:
            opinions: of each voter who spoke about all of the document, the spans, a sequence for each section.
        """
        keys = {voter: _keys(opinion) for voter, opinion in opinions.items()}
        for first, second in combinations(sorted(keys), 2):
            self._documents[first, second] += 1
            self._both.update((first, second, key[0]) for key in keys[first] & keys[second])
            for voter in (first, second):
                self._either.update((first, second, key[0]) for key in keys[voter])

    def as_records(self) -> list[dict[str, Any]]:
        """A record for every two voters as JSON values: in how many documents they met, and their agreement.

        Agreement is F1 with one voter for gold and the other for the prediction, 0 to 1; it is the same both ways.
        ``f1`` is over all spans, ``f1_per_class`` has the classes that one of the two found.
        """
        return [
            {
                "voters": [first, second],
                "documents": documents,
                "f1": self._f1(first, second, self._labels(first, second)),
                "f1_per_class": {label: self._f1(first, second, [label]) for label in self._labels(first, second)},
            }
            for (first, second), documents in sorted(self._documents.items())
        ]

    def _labels(self, first: str, second: str) -> list[str]:
        return sorted(label for *pair, label in self._either if pair == [first, second])

    def _f1(self, first: str, second: str, labels: Sequence[str]) -> float | None:
        both = sum(self._both[first, second, label] for label in labels)
        either = sum(self._either[first, second, label] for label in labels)
        return 2 * both / either if either else None


def _keys(opinion: Sequence[Sequence[Span]]) -> set[tuple[str, int, int, int]]:
    return {(span.label, number, span.start, span.end) for number, spans in enumerate(opinion) for span in spans}
