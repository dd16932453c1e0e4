"""What makes a vector out of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kazu_distill.errors import KazuDistillError


class EmbeddingError(KazuDistillError):
    """Texts could not be made into vectors."""


class Encoder(Protocol):
    """Makes vectors whose angle says how alike two texts are."""

    @property
    def identity(self) -> str:
        """What the vectors depend on: kept ones of the same identity are used again."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of some texts, ``(texts, dimensions)``, of any length.

        Raises:
            EmbeddingError: they cannot be made.
        """
        ...
