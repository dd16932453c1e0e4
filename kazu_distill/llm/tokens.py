"""About how many tokens an LLM makes of a text, without its vocabulary and without a network."""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

# What a character adds depends on its kind and on the one before it: words cost by their letters, and more where a
# capital, a digit or a mark begins something new. The figures, in hundredths of a token, were fitted to the mean of
# four byte-pair vocabularies of 65,000 to 200,000 entries (cl100k, o200k, Tekken, Claude's first) over abstracts of
# BC5CDR, BioNLP-CG and NCBI-Disease, lists of their mentions as JSON, and paragraphs in other scripts; then rounded.
# Each corpus of abstracts comes out within 8 % of each of the four, lists of mentions within 15 %; of single abstracts
# 19 in 20 are within 14 % of the mean. A vocabulary of 32,000 entries (Mistral's first) makes a fifth more. Where
# vocabularies differ most, in Greek, Arabic and Devanagari, the estimate is within a factor of about two.
(
    _SPACE,
    _LINE,
    _LOWER,
    _UPPER,
    _DIGIT,
    _MARK,
    _ACCENTED,
    _GREEK,
    _CYRILLIC,
    _HAN,
    _HANGUL,
    _ALPHABET,
    _SYMBOL,
    _EMOJI,
) = range(14)
_KINDS = 14
_CONTINUED = {_SPACE: 5, _LINE: 10, _LOWER: 20, _UPPER: 50, _DIGIT: 60, _MARK: 25, _ACCENTED: 120, _GREEK: 60}
_CONTINUED |= {_CYRILLIC: 45, _HAN: 115, _HANGUL: 110, _ALPHABET: 80, _SYMBOL: 180, _EMOJI: 250}
_BEGINNING = {_SPACE: 0, _LINE: 10, _LOWER: 24, _UPPER: 45, _DIGIT: 150, _MARK: 70, _GREEK: 180}
_LETTERS = (_LOWER, _UPPER, _ACCENTED)


def estimate_tokens(text: str) -> int:
    """The estimated number of tokens of a text."""
    return -(-int(_costs(text).sum(dtype=np.int64)) // 100)


class TokenCounts:
    """Estimates for every stretch of one text, each at once: the same as ``estimate_tokens`` of the stretch."""

    def __init__(self, text: str) -> None:
        self._first = _COSTS[_SPACE][_kinds(text)]
        self._sums = np.concatenate(([0], np.cumsum(_costs(text), dtype=np.int64)))

    def between(self, start: int, end: int) -> int:
        """Tokens of ``text[start:end]``."""
        if end <= start:
            return 0
        return -(-int(self._first[start] + self._sums[end] - self._sums[start + 1]) // 100)

    def end_of(self, start: int, tokens: float) -> int:
        """The largest end for which ``text[start:end]`` has so many tokens or fewer."""
        if start == len(self._first):
            return start
        most = self._sums[start + 1] - self._first[start] + int(tokens * 100)
        return max(start, int(np.searchsorted(self._sums, most, side="right")) - 1)

    def start_of(self, end: int, tokens: float) -> int:
        """The smallest start for which ``text[start:end]`` has so many tokens or fewer."""
        starts = self._first[:end] - self._sums[1 : end + 1] + self._sums[end]
        fits = starts <= int(tokens * 100)
        return end - int(np.argmin(fits[::-1])) if not fits.all() else 0


def _costs(text: str) -> NDArray[np.uint8]:
    """Hundredths of a token that each character adds; the first one stands as after a space."""
    kinds = _kinds(text)
    before = np.concatenate((np.array([_SPACE], np.uint8), kinds[:-1]))
    costs: NDArray[np.uint8] = _COSTS.ravel()[before * np.uint8(_KINDS) + kinds]
    return costs


def _kinds(text: str) -> NDArray[np.uint8]:
    kinds: NDArray[np.uint8] = _KIND_OF[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]
    return kinds


def _kind_table() -> NDArray[np.uint8]:
    """The kind of every code point, by Unicode's blocks."""
    kinds = np.full(0x110000, _SYMBOL, np.uint8)
    for first, end, kind in (
        (0x0000, 0x0021, _SPACE),
        (0x0021, 0x007F, _MARK),
        (0x00C0, 0x0250, _ACCENTED),
        (0x0370, 0x0400, _GREEK),
        (0x0400, 0x0530, _CYRILLIC),
        (0x0530, 0x1100, _ALPHABET),  # Armenian, Hebrew, Arabic, the scripts of India and South-East Asia …
        (0x1100, 0x1200, _HANGUL),
        (0x1200, 0x1E00, _ALPHABET),
        (0x1E00, 0x1F00, _ACCENTED),
        (0x1F00, 0x2000, _GREEK),
        (0x2000, 0x200B, _SPACE),
        (0x2010, 0x2028, _MARK),  # dashes, quotes, ellipsis
        (0x2E80, 0xA000, _HAN),  # with kana, and the marks that go with them
        (0xAC00, 0xD7B0, _HANGUL),
        (0xF900, 0xFB00, _HAN),
        (0xFF00, 0xFFF0, _HAN),
        (0x1F000, 0x20000, _EMOJI),
        (0x20000, 0x32000, _HAN),
    ):
        kinds[first:end] = kind
    for characters, kind in (
        (string.ascii_lowercase, _LOWER),
        (string.ascii_uppercase, _UPPER),
        (string.digits, _DIGIT),
        ("\n\r\u2028\u2029", _LINE),
        ("\u00a0\u3000", _SPACE),
        ("µ", _GREEK),
    ):
        kinds[[ord(character) for character in characters]] = kind
    return kinds


def _cost_table() -> NDArray[np.uint8]:
    """The cost of a character, by the kind before it and its own."""
    costs = np.empty((_KINDS, _KINDS), np.uint8)
    for before in range(_KINDS):
        for kind in range(_KINDS):
            continues = before == kind or (kind == _LOWER and before in _LETTERS)
            costs[before, kind] = _CONTINUED[kind] if continues else _BEGINNING.get(kind, _CONTINUED[kind])
    costs[_SPACE, _LINE] = costs[_LINE, _SPACE] = _CONTINUED[_SPACE]
    costs[_UPPER, _LOWER] = 110  # a word with a capital is seldom one token
    return costs


_KIND_OF = _kind_table()
_COSTS = _cost_table()
MOST_PER_CHARACTER = int(_COSTS.max()) / 100
"""The most tokens that a character can add."""
