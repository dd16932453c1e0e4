"""How far types are from each other: by what they are called, and by what they were given to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kazu_distill.proposing.free_types import FreeType

_SHOWN = 10  # mentions of a type that its vector is made of, beside its name
_DOUBT = 2.0  # spans that are taken not to be shared, so that one coincidence makes no two rare types the same


def distances(types: Sequence[FreeType], vectors: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Distances between types, ``(types, types)``, from 0, the same, to 1, nothing in common.

    Two witnesses are heard, and each can say that types are near: the product of what they say counts. One is the
    cosine of the vectors, the other the share of the rarer type's spans whose mention, case aside, the other type was
    given too.

    Args:
        types: the types.
        vectors: of their ``described``, ``(types, dimensions)``, of any length; None: the mentions alone count.
    """
    apart = 1.0 - _shared(types)
    if vectors is not None:
        unit = vectors.astype(np.float64)
        unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        apart *= 1.0 - np.clip(unit @ unit.T, 0.0, 1.0)
    np.fill_diagonal(apart, 0.0)
    symmetric: NDArray[np.float64] = np.minimum(apart, apart.T)
    return symmetric


def described(free_type: FreeType) -> str:
    """A type's name with its most frequent mentions, as a text that an encoder takes."""
    return f"{free_type.name}: {', '.join(mention for mention, _ in free_type.mentions[:_SHOWN])}"


def _shared(types: Sequence[FreeType]) -> NDArray[np.float64]:
    """For each two types the share of the rarer one's spans whose mention the other has, ``(types, types)``."""
    numbers: dict[str, int] = {}
    counted = [
        (row, numbers.setdefault(mention.casefold(), len(numbers)), count)
        for row, each in enumerate(types)
        for mention, count in each.mentions
    ]
    rows, columns, counts = (np.array(part) for part in zip(*counted, strict=True))
    shape = (len(types), len(numbers))
    spans = csr_array((counts.astype(np.float64), (rows, columns)), shape=shape)  # which adds up what differs in case
    present = csr_array((np.ones(len(counts)), (rows, columns)), shape=shape)
    present.data = np.minimum(present.data, 1.0)
    common = (spans @ (present > 0).astype(np.float64).T).toarray()  # spans of the row's type
    total = spans.sum(axis=1)
    rarer = total[:, None] <= total[None, :]
    share = np.where(rarer, common, common.T) / (np.minimum(total[:, None], total[None, :]) + _DOUBT)
    return np.asarray(share, np.float64)
