"""The probability from which a word counts as in a span, chosen for each class on documents with gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document, Span
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.decoding import decode
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger

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
        sections = [section for document in documents for section in document.sections]
        texts = tagger.windower.tokenize([section.text for section in sections])
        counts = strict_counts_by_threshold(
            tagger.word_probabilities(texts),
            [text.words for text in texts],
            [section.spans for section in sections],
            tagger.scheme,
        )
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


def _smooth(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts averaged over neighbouring candidates; beyond the first and the last they go on as they are."""
    reach = len(_SMOOTHING) // 2
    padded = np.pad(counts, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(_SMOOTHING), axis=0)
    smoothed: NDArray[np.float64] = windows @ _SMOOTHING
    return smoothed


def strict_counts_by_threshold(
    probabilities: Sequence[NDArray[np.float32]],
    words: Sequence[NDArray[np.int32]],
    gold: Sequence[Sequence[Span]],
    scheme: LabelScheme,
) -> NDArray[np.float64]:
    """``(candidates, classes, 3)``: spans that are right, predicted, and in the gold, by strict matching."""
    classes = {label: number for number, label in enumerate(scheme.labels)}
    wanted = {(text, span.start, span.end, span.label) for text, spans in enumerate(gold) for span in spans}
    counts = np.zeros((len(CANDIDATES), len(classes), 3))
    for *_, label in wanted:
        counts[:, classes[label], 2] += 1
    for row, threshold in zip(counts, CANDIDATES, strict=True):
        thresholds = np.full(len(classes), threshold, dtype=np.float32)
        for text, spans in enumerate(decode(probabilities, words, scheme=scheme, thresholds=thresholds)):
            for span in spans:
                row[classes[span.label], 1] += 1
                row[classes[span.label], 0] += (text, span.start, span.end, span.label) in wanted
    return counts
