"""Cutting a text into words."""

from __future__ import annotations

import functools

import numpy as np
import regex
from numpy.typing import NDArray

_SPACE, _OTHER, _LETTER, _MARK, _SYLLABLE, _SYLLABLE_MARK = range(6)
# Letters, digits and marks of scripts that put no spaces between words are told from those of the others.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_CLASSES = {
    _OTHER: r"\S+",
    _LETTER: r"[\p{L}\p{N}]+",
    _MARK: r"\p{M}+",
    _SYLLABLE: rf"[{_UNSPACED}]+",
    _SYLLABLE_MARK: rf"(?:(?=\p{{M}})[{_UNSPACED}])+",
}
_ALL, _FEW = 0x110000, 0x800


def words_of(text: str) -> NDArray[np.int32]:
    """Start and end of every word, ``(words, 2)`` in code points, end exclusive.

    A word is a run of letters, digits and their combining marks; or one character, with its marks, of a script that
    puts no spaces between words; or one character, with its marks, of anything else that is not white space. Words do
    not overlap and leave out only space.
    """
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if not len(points):
        return np.empty((0, 2), dtype=np.int32)
    highest = int(points.max())
    kinds = _kinds(_FEW if highest < _FEW else min(1 << highest.bit_length(), _ALL))[points]
    begins = _begins(kinds)
    starts = np.flatnonzero(begins)
    # A word goes on until another one, or space, begins.
    borders = np.flatnonzero(begins | (kinds == _SPACE))
    ends = np.append(borders, len(kinds))[borders.searchsorted(starts) + 1]
    return np.stack((starts, ends), axis=1).astype(np.int32)


def _begins(kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether a word begins at each character."""
    is_mark = kinds == _MARK
    opened = kinds
    if is_mark.any():
        # A mark belongs to what stands before it; behind space it is a word like letters.
        carriers = np.maximum.accumulate(np.where(is_mark, 0, np.arange(len(kinds))))
        opened = np.where(is_mark, kinds[carriers], kinds)
        opened[is_mark & ((opened == _SPACE) | (opened == _MARK))] = _LETTER
    before = np.concatenate(([np.uint8(_SPACE)], kinds[:-1]))
    opened_before = np.concatenate(([np.uint8(_SPACE)], opened[:-1]))
    continues = (kinds == _LETTER) & (opened_before == _LETTER)
    continues |= is_mark & (before != _SPACE)
    continues |= (kinds == _SYLLABLE_MARK) & (opened_before != _SPACE) & (opened_before != _LETTER)
    begins: NDArray[np.bool_] = (kinds != _SPACE) & ~continues
    return begins


@functools.cache
def _kinds(limit: int) -> NDArray[np.uint8]:
    """The kind of each code point below a limit."""
    characters = "".join(map(chr, range(limit)))
    kinds = np.full(limit, _SPACE, dtype=np.uint8)
    for kind, pattern in _CLASSES.items():
        for match in regex.finditer(pattern, characters):
            kinds[match.start() : match.end()] = kind
    return kinds
