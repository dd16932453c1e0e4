"""Searching: a score for every piece, and the best of them first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_FIRST = 16  # pieces that are put in order at once; four times as many when they are not enough


class Index(Protocol):
    """Scores texts against a question; to be prepared once, then to be used from several threads."""

    def prepare(self, texts: Sequence[str], cache: Path) -> None:
        """Index texts; what takes long is kept in a folder and found there the next time."""
        ...

    def scores(self, text: str) -> NDArray[np.float32]:
        """How much each indexed text is like this one, ``(texts,)``; the same in every run."""
        ...


def best_first(scores: NDArray[np.float32], *, above: float | None = None) -> Iterator[int]:
    """Positions from the highest score down, those of one score in ascending order; sorted only as far as asked for.

    Args:
        scores: ``(pieces,)``.
        above: positions whose score is not higher are left out.
    """
    given, size = 0, min(_FIRST, len(scores))
    while given < len(scores):
        least = np.partition(scores, len(scores) - size)[len(scores) - size]
        candidates = np.flatnonzero(scores >= least)
        ranked = candidates[np.argsort(-scores[candidates], kind="stable")][:size]
        for position in ranked[given:]:
            if above is not None and not scores[position] > above:
                return
            yield int(position)
        given, size = size, min(4 * size, len(scores))
