"""What tells that two texts are nearly the same: their runs of five words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SIMILAR = 0.8
"""Jaccard similarity of the shingles from which two texts count as the same one."""

_WORDS = 5
_FACTOR = 0x5851F42D4C957F2D  # odd, and without a pattern (Knuth's, of MMIX)
_WORD = re.compile(r"\w+")


def folded(texts: Iterable[str]) -> str:
    """Texts as one, without case and with single spaces; what differs in nothing else has the same."""
    return " ".join(" ".join(texts).casefold().split())


def shingles_of(text: str) -> set[int]:
    """Hashes of the runs of five words of a folded text; one that has fewer is a single run.

    crc32, as Python's own hash of a string differs from run to run.
    """
    words = _WORD.findall(text)
    runs = range(max(1, len(words) - _WORDS + 1))
    return {zlib.crc32(" ".join(words[start : start + _WORDS]).encode()) for start in runs}


def quick_shingles(text: str) -> NDArray[np.int64]:
    """Other hashes of the same runs, each once and in ascending order, ``(shingles,)``; in a third of the time.

    They are Python's own and differ from run to run, so nothing that is written may depend on them.
    """
    words = _WORD.findall(text)
    hashes = np.fromiter(map(hash, words), np.int64, len(words))
    if len(words) < _WORDS:
        return np.array([hash(tuple(words))], np.int64)
    runs = np.zeros(len(words) - _WORDS + 1, np.int64)
    with np.errstate(over="ignore"):
        for place in range(_WORDS):
            runs *= _FACTOR
            runs += hashes[place : place + len(runs)]
    return np.unique(runs)


def are_similar(one: set[int], other: set[int]) -> bool:
    """Whether two texts are nearly the same, by their shingles."""
    return len(one & other) >= SIMILAR * len(one | other)
