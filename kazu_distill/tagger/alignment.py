"""Where spans stand among the words: the labels that a word-by-word model can be taught.

A word belongs to a span if the span covers any character of it, so an edge inside a word moves to the word's edge. Two
spans of one class that share a word cannot both be expressed: the one with the higher score is, of equals the longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Span


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A span in words: from word ``first`` to word ``last`` (exclusive), the number of its class, and its score."""

    first: int
    last: int
    label: int
    score: float


@dataclass(frozen=True, slots=True)
class AlignmentCounts:
    """How spans became labels of words.

    ``moved`` had an edge inside a word. Lost are ``overlapping`` ones, which share a word with a surer or longer one of
    their class, and ``wordless`` ones, which cover no word.
    """

    spans: int = 0
    moved: int = 0
    overlapping: int = 0
    wordless: int = 0

    def __add__(self, other: AlignmentCounts) -> AlignmentCounts:
        return AlignmentCounts(
            self.spans + other.spans,
            self.moved + other.moved,
            self.overlapping + other.overlapping,
            self.wordless + other.wordless,
        )


def align(
    spans: Sequence[Span], words: NDArray[np.int32], classes: Mapping[str, int]
) -> tuple[list[WordSpan], AlignmentCounts]:
    """The spans that can be expressed, in words and in the order of their places; and what became of the others.

    Args:
        spans: over characters.
        words: ``(words, 2)``, start and end of each, in order.
        classes: the number of each class.
    """
    if not spans or not len(words):
        return [], AlignmentCounts(len(spans), wordless=len(spans))
    edges = np.array([(span.start, span.end) for span in spans])
    firsts = words[:, 1].searchsorted(edges[:, 0], side="right")
    lasts = words[:, 0].searchsorted(edges[:, 1], side="left")
    reached = np.stack((words[np.minimum(firsts, len(words) - 1), 0], words[lasts - 1, 1]), axis=1)
    surest_first = sorted(
        zip(spans, firsts.tolist(), lasts.tolist(), (reached != edges).any(axis=1).tolist(), strict=True),
        key=lambda each: (-each[0].score, each[1] - each[2], each[1]),
    )
    aligned: list[WordSpan] = []
    taken: dict[int, set[int]] = {}  # of each class, the words that spans of it have
    moved = overlapping = wordless = 0
    for span, first, last, is_moved in surest_first:
        label = classes[span.label]
        own = taken.setdefault(label, set())
        if first >= last:
            wordless += 1
        elif not own.isdisjoint(range(first, last)):
            overlapping += 1
        else:
            own.update(range(first, last))
            moved += is_moved
            aligned.append(WordSpan(first, last, label, span.score))
    aligned.sort(key=lambda each: (each.first, each.last, each.label))
    return aligned, AlignmentCounts(len(spans), moved, overlapping, wordless)
