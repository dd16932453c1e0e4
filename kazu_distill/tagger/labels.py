"""The label scheme: spans of many classes as tags of words, and tags as spans.

Each class has two tags, ``B`` for a span's first word and ``I`` for its others, and every tag is decided for itself.
Classes are independent, so spans of several classes can coincide, nest or cross; ``B`` keeps adjacent spans of one
class apart. Two spans of one class that overlap cannot both be expressed: the one with the higher score is, of equals
the longer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Span

Word = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WordTag:
    """A tag that a word has: its index among the words, the tag's index, and how sure that is, 0 to 1."""

    word: int
    tag: int
    score: float


class LabelScheme:
    """The tags of a list of classes, in their order: ``B-first``, ``I-first``, ``B-second`` …"""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._index = {label: index for index, label in enumerate(self.labels)}

    @property
    def tags(self) -> list[str]:
        """The names of the tags; tag ``2 c`` begins a span of class ``c``, tag ``2 c + 1`` goes on with it."""
        return [f"{prefix}-{label}" for label in self.labels for prefix in ("B", "I")]

    @classmethod
    def from_tags(cls, tags: Sequence[str]) -> LabelScheme:
        """The scheme that made these tags.

        Raises:
            ValueError: they are not tags of this scheme.
        """
        scheme = cls([tag.removeprefix("B-") for tag in tags[::2]])
        if scheme.tags != list(tags):
            raise ValueError(f"not a list of B- and I- tags: {list(tags)}")
        return scheme

    def tag(self, spans: Sequence[Span], words: Sequence[Word]) -> tuple[list[WordTag], int]:
        """The tags of the words that spans cover, and how many spans could not be expressed.

        A word belongs to a span if the span covers any character of it: an edge inside a word moves to the word's edge.
        """
        starts, ends = [start for start, _ in words], [end for _, end in words]
        tags: list[WordTag] = []
        taken: set[tuple[int, int]] = set()
        lost = 0
        for span in sorted(spans, key=lambda span: (-span.score, span.start - span.end, span.start)):
            covered = range(bisect_right(ends, span.start), bisect_left(starts, span.end))
            label = self._index[span.label]
            if not covered or any((word, label) in taken for word in covered):
                lost += 1
                continue
            taken |= {(word, label) for word in covered}
            tags += [WordTag(word, 2 * label + (word != covered.start), span.score) for word in covered]
        return tags, lost

    def spans(
        self, probabilities: NDArray[np.float32], words: Sequence[Word], *, threshold: float, source: str = ""
    ) -> tuple[Span, ...]:
        """The spans that tag probabilities say.

        A word is in a span of a class if its ``B`` or ``I`` is above the threshold; it begins one if the word before is
        in none, or if ``B`` is the more probable. A span's score is the mean of its words' higher probability.

        Args:
            probabilities: ``(words, tags)``.
            words: their edges.
            threshold: 0 to 1.
            source: who the spans are said to come from.
        """
        if not len(words):
            return ()
        by_class = probabilities.reshape(len(words), len(self.labels), 2)
        higher = by_class.max(axis=2)
        inside = higher > threshold
        before = np.zeros_like(inside)
        before[1:] = inside[:-1]
        begins = inside & (~before | (by_class[:, :, 0] > by_class[:, :, 1]))
        after = np.zeros_like(inside)
        after[:-1] = inside[1:] & ~begins[1:]
        closes = inside & ~after
        found = []
        for label, name in enumerate(self.labels):
            for first, last in zip(np.flatnonzero(begins[:, label]), np.flatnonzero(closes[:, label]), strict=True):
                score = float(higher[first : last + 1, label].mean())
                found.append(Span(words[first][0], words[last][1], name, min(score, 1.0), source))
        return tuple(sorted(found, key=lambda span: (span.start, -span.end, span.label)))
