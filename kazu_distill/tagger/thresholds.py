"""The probability from which a word counts as in a span, chosen for each class on documents with gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document, Span, blocks_of
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import BLOCK, Tagger

CANDIDATES = np.round(np.arange(0.05, 0.96, 0.05), 2)
_USUAL = 0.5
_BORROWED = 20.0
_SMOOTHING = np.array([1, 2, 3, 2, 1]) / 9  # over neighbouring candidates


@dataclass(frozen=True, slots=True)
class ThresholdTuning:
    """What thresholds are chosen for.

    Without ``precision``, each class's threshold is the one with its best strict F1. With it, 0 to 1, it is the lowest
    that reaches this precision, or the most precise one where none does.

    Raises:
        ConfigError: the wanted precision is none.
    """

    precision: float | None = None

    def __post_init__(self) -> None:
        if self.precision is not None and not 0 < self.precision <= 1:
            raise ConfigError(f"thresholds.precision={self.precision}: a share above 0 and up to 1 is needed")

    def tuned(self, tagger: Tagger, documents: Sequence[Document]) -> TaggerSettings:
        """The tagger's settings with the thresholds that are best on documents with gold spans."""
        candidates = same_for_all(CANDIDATES, len(tagger.scheme.labels))
        counts = np.zeros((*candidates.shape, 3))
        for block in blocks_of(documents, characters=BLOCK):
            gold = [section.spans for document in block for section in document.sections]
            counts += strict_counts_by_threshold(tagger.read(block), gold, candidates)
        chosen = self.choose(counts)
        return replace(tagger.settings, thresholds=dict(zip(tagger.scheme.labels, chosen.tolist(), strict=True)))

    def choose(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The best candidate for each class.

        A class with few spans would be decided by chance, so to each class's counts those of all classes together are
        added, as if they were of 20 spans; and since the figures of few documents are ragged, each candidate's counts
        are averaged with those of its neighbours.

        Args:
            counts: ``(candidates, classes, 3)``: spans that are right, predicted, and in the gold.

        Returns:
            ``(classes,)``.
        """
        together = counts.sum(axis=1, keepdims=True)
        counts = _smooth(counts + _BORROWED * together / np.maximum(together[..., 2:], 1))
        right, predicted, gold = np.moveaxis(counts, 2, 0)
        precision = right / np.maximum(predicted, 1e-9)
        if self.precision is None:
            value = 2 * right / np.maximum(predicted + gold, 1e-9)
        else:
            reached = precision >= self.precision
            value = np.where(reached, 1 + right, precision)
        # Of equally good ones the most usual.
        order = np.argsort(np.abs(CANDIDATES - _USUAL), kind="stable")
        best: NDArray[np.float64] = CANDIDATES[order][value[order].argmax(axis=0)]
        return best


def same_for_all(candidates: NDArray[np.float64], classes: int) -> NDArray[np.float32]:
    """Thresholds ``(candidates,)`` as those of each class, ``(candidates, classes)``."""
    return np.repeat(candidates[:, None], classes, axis=1).astype(np.float32)


def _smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts averaged over neighbouring candidates; beyond the first and the last they go on as they are."""
    reach = len(_SMOOTHING) // 2
    padded = np.pad(counts, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(_SMOOTHING), axis=0)
    smoothed: NDArray[np.float64] = windows @ _SMOOTHING
    return smoothed


def strict_counts_by_threshold(
    reading: Reading, gold: Sequence[Sequence[Span]], thresholds: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Spans that are right, predicted, and in the gold, by strict matching.

    Args:
        reading: what a model says of some texts.
        gold: the spans of each text, of the reading's classes.
        thresholds: ``(candidates, classes)``.

    Returns:
        ``(candidates, classes, 3)``.
    """
    classes = len(reading.labels)
    wanted, reachable = _gold_keys(reading, gold)
    counts = np.zeros((*thresholds.shape, 3))
    counts[:, :, 2] = np.bincount(wanted, minlength=classes)
    for row, candidate in zip(counts, thresholds, strict=True):
        found = reading.stretches(candidate)
        right = np.isin(_keys(reading, found.labels, found.firsts, found.lasts), reachable)
        row[:, 1] = np.bincount(found.labels, minlength=classes)
        row[:, 0] = np.bincount(found.labels[right], minlength=classes)
    return counts


def _gold_keys(reading: Reading, gold: Sequence[Sequence[Span]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The class of each different gold span, and the keys of those whose edges are words' edges."""
    classes = {label: number for number, label in enumerate(reading.labels)}
    borders = reading.borders
    wanted: list[int] = []
    reachable: list[tuple[int, int, int]] = []
    for text, spans in enumerate(gold):
        words = reading.places[borders[text] : borders[text + 1]]
        for start, end, label in {span.place for span in spans}:
            wanted.append(classes[label])
            first, last = words[:, 0].searchsorted(start), words[:, 1].searchsorted(end)
            if max(first, last) < len(words) and words[first, 0] == start and words[last, 1] == end:
                reachable.append((classes[label], int(borders[text] + first), int(borders[text] + last)))
    labels, firsts, lasts = np.array(reachable, dtype=np.int64).reshape(-1, 3).T
    return np.array(wanted, dtype=np.int64), _keys(reading, labels, firsts, lasts)


def _keys(
    reading: Reading, labels: NDArray[np.int64], firsts: NDArray[np.int64], lasts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A number for each stretch of words and class."""
    words = len(reading.places)
    return (labels * words + firsts) * words + lasts
