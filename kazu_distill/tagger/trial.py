"""A tagger tried on documents with gold: what it predicts, what it would predict at other thresholds, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document, blocks_of
from kazu_distill.tagger.tagger import BLOCK, Tagger
from kazu_distill.tagger.thresholds import same_for_all, strict_counts_by_threshold

GRID = np.round(np.concatenate([[0.01], np.arange(0.02, 0.99, 0.02), [0.99]]), 2)
"""Thresholds that each class is tried at, beside its own."""

_WARM_UP = 20_000  # characters


@dataclass(frozen=True, slots=True)
class Speed:
    """How long labelling took, in seconds by the clock and of all processor cores; loading is not in it."""

    documents: int
    words: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial showed.

    Args:
        predicted: the documents with the tagger's spans.
        thresholds: ``(candidates, classes)``; the last are the tagger's own.
        counts: ``(candidates, classes, 3)``: spans that are right, predicted, and in the gold, by strict matching.
        speed: of the predictions alone.
    """

    predicted: list[Document]
    thresholds: NDArray[np.float32]
    counts: NDArray[np.float64]
    speed: Speed


def try_out(tagger: Tagger, documents: Sequence[Document], *, source: str = "", block: int = BLOCK) -> Trial:
    """Try a tagger on documents whose spans are gold, of its classes.

    Probabilities are computed once, and of a block of documents at a time, so that those of all are never in memory.
    """
    labels = tagger.scheme.labels
    thresholds = np.concatenate([same_for_all(GRID, len(labels)), tagger.settings.thresholds_of(labels)[None]])
    counts = np.zeros((*thresholds.shape, 3))
    predicted: list[Document] = []
    words = 0
    clock = _Clock()
    for part in blocks_of(documents, characters=_WARM_UP):
        tagger.read(part)  # what a device or a library does once, it does here
        break
    for part in blocks_of(documents, characters=block):
        with clock.running():
            reading = tagger.read(part)
            predicted += tagger.labelled(part, reading, source=source)
        words += len(reading.places)
        gold = [section.spans for document in part for section in document.sections]
        counts += strict_counts_by_threshold(reading, gold, thresholds)
    return Trial(predicted, thresholds, counts, Speed(len(predicted), words, clock.seconds, clock.cpu_seconds))


class _Clock:
    """Adds up the time of what runs under it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        begun, cpu_begun = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - begun
        self.cpu_seconds += time.process_time() - cpu_begun
