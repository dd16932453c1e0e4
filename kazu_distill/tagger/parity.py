"""How far two ways of computing one model are apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kazu_distill.tagger.windows import Windower

_ROWS = 8


class Logits(Protocol):
    """Computes the logits of a batch."""

    def logits(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Logits ``(batch, tokens, tags)`` of rows of input ids."""
        ...


def rows_of(texts: Iterable[str], windower: Windower, *, most: int) -> list[NDArray[np.int32]]:
    """The input ids of the windows of some texts, of at most so many; each ``(tokens,)``."""
    rows: list[NDArray[np.int32]] = []
    for text in texts:
        (tokenized,) = windower.tokenize([text])
        rows += [windower.input_ids(tokenized, window) for window in windower.windows(tokenized)]
        if len(rows) >= most:
            break
    return rows[:most]


def largest_difference(one: Logits, other: Logits, rows: Sequence[NDArray[np.int32]]) -> float:
    """The largest difference of a logit, over all tokens of all rows; infinite where a logit is no number.

    Rows are computed in the order given, so a batch has rows of unlike lengths in it.
    """
    largest = 0.0
    for start in range(0, len(rows), _ROWS):
        batch = rows[start : start + _ROWS]
        for row, first, second in zip(batch, one.logits(batch), other.logits(batch), strict=True):
            difference = float(np.abs(first[: len(row)] - second[: len(row)]).max())
            largest = max(largest, difference if np.isfinite(difference) else np.inf)
    return largest
