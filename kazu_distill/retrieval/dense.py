"""Search by likeness of meaning: the nearest vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kazu_distill.retrieval.embedding.encoder import Encoder
from kazu_distill.retrieval.embedding.kept import LENGTH, KeptVectors
from kazu_distill.retrieval.together import Together

_AT_ONCE = 64  # questions; their scores of 100,000 texts are 26 MB


class DenseIndex:
    """Scores by the cosine of the angle between vectors, exactly: every text is compared.

    Args:
        encoder: makes the vectors.
    """

    def __init__(self, *, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: KeptVectors | None = None
        self._vectors: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._ask: Together[str, NDArray[np.float32]] = Together(self._scores, most=_AT_ONCE)

    def prepare(self, texts: Sequence[str], cache: Path) -> None:
        """Get the vectors of texts; they are kept in ``cache``, and so are those of questions.

        Raises:
            EmbeddingError: they cannot be made.
        """
        self._kept = KeptVectors(self._encoder, cache / "vectors.sqlite")
        self._vectors = self._kept.of(texts)

    def scores(self, text: str) -> NDArray[np.float32]:
        """The cosine with each text, ``(texts,)``.

        Raises:
            EmbeddingError: the text's vector cannot be made.
        """
        return self._ask(text)

    def similarities(self, positions: Sequence[int], other: int) -> NDArray[np.float32]:
        """The cosine of some of the texts with another of them, ``(positions,)``."""
        return _cosines(self._vectors[list(positions)], self._vectors[other])

    def _scores(self, texts: list[str]) -> list[NDArray[np.float32]]:
        if self._kept is None:
            raise RuntimeError("prepare() comes first")
        return list(_cosines(self._kept.of(texts), self._vectors.T))


def _cosines(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines of vectors of the length ``LENGTH``."""
    cosines: NDArray[np.float32] = (some @ others) * np.float32(1 / LENGTH**2)
    return cosines
