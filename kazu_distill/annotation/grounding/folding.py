"""Texts made comparable, with the way back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

_HYPHENS = dict.fromkeys("-‐‑‒–—―⁃−﹘﹣－", "-")
_QUOTES = dict.fromkeys("‘’‚‛′‵`´ʹʼ＇", "'") | dict.fromkeys("“”„‟″‶＂«»", '"')
INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")  # soft hyphen, zero-width marks

# Accents, without which people and LLMs write "Sjogren", and the dot that a small İ keeps. Not the breve: it makes
# another letter of Cyrillic и.
ACCENTS = frozenset(map(chr, range(0x300, 0x370))) - {"\u0306"}

_PLAIN = str.maketrans({chr(code): " " for code in range(128) if chr(code).isspace()} | {"`": "'"})
_SPACES = re.compile("  +")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; character ``i`` of it comes from character ``origins[i]`` of the original.

    ``one_to_one``: no character became several.
    """

    text: str
    origins: Sequence[int]
    one_to_one: bool = True

    def is_edge(self, index: int) -> bool:
        """Whether ``index`` is not inside what one original character was folded to."""
        return self.one_to_one or index in (0, len(self.origins)) or self.origins[index - 1] != self.origins[index]


def fold(text: str) -> Folded:
    """Fold case, Unicode compatibility forms, accents, kinds of hyphens, quotes and white space.

    ``²`` equals ``2``, ``ﬁ`` equals ``fi``, ``é`` equals ``e``, ``İ`` equals ``i``. Every run of white space becomes
    one space; what cannot be seen goes. Linear, and the loops over characters are the interpreter's own.
    """
    if text.isascii():
        return _squeezed(text.lower().translate(_PLAIN), range(len(text)))
    folds = {character: _fold_character(character) for character in set(text)}
    pieces = [folds[character] for character in text]
    if all(len(folded) == 1 for folded in folds.values()):
        return _squeezed("".join(pieces), range(len(text)))
    origins = list(chain.from_iterable(map(repeat, range(len(text)), map(len, pieces))))
    return replace(_squeezed("".join(pieces), origins), one_to_one=False)


def _squeezed(text: str, origins: Sequence[int]) -> Folded:
    """One space for each run of them."""
    if "  " not in text:
        return Folded(text, origins)
    pieces: list[str] = []
    kept: list[int] = []
    end = 0
    for run in _SPACES.finditer(text):
        pieces.append(text[end : run.start() + 1])
        kept.extend(origins[end : run.start() + 1])
        end = run.end()
    pieces.append(text[end:])
    kept.extend(origins[end:])
    return Folded("".join(pieces), kept)


def _fold_character(character: str) -> str:
    if character in INVISIBLE:
        return ""
    # Quotes first: compatibility makes a space and an accent of some of them.
    if character in _QUOTES:
        return _QUOTES[character]
    # Folding case can make new letters that are decomposed again.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    marks = (_HYPHENS.get(mark, " " if mark.isspace() else mark) for mark in folded if mark not in ACCENTS)
    return "".join(marks)
