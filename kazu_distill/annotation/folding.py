"""Texts made comparable, with the way back to the original offsets."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_HYPHENS = frozenset("-‐‑‒–—―⁃−﹘﹣－")
_QUOTES = dict.fromkeys("‘’‚‛′‵`´ʹʼ＇", "'") | dict.fromkeys("“”„‟″‶＂«»", '"')
INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")  # soft hyphen, zero-width marks


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; character ``i`` of it comes from character ``origins[i]`` of the original."""

    text: str
    origins: list[int]

    def find(self, needle: str) -> list[tuple[int, int]]:
        """Original offsets of every place of a folded needle, overlapping ones too.

        A place that would begin or end inside what one original character was folded to is none.
        """
        places: list[tuple[int, int]] = []
        position = self.text.find(needle) if needle else -1
        while position >= 0:
            last = position + len(needle) - 1
            if self._whole(position, last):
                places.append((self.origins[position], self.origins[last] + 1))
            position = self.text.find(needle, position + 1)
        return places

    def _whole(self, first: int, last: int) -> bool:
        begins = first == 0 or self.origins[first - 1] != self.origins[first]
        ends = last + 1 == len(self.origins) or self.origins[last + 1] != self.origins[last]
        return begins and ends


def fold(text: str, *, case: bool = True) -> Folded:
    """Fold case (unless told not to), Unicode compatibility forms, kinds of hyphens, quotes and white space.

    Letters are decomposed (NFKD), so that ``é`` equals ``e`` with an accent, ``²`` equals ``2``, ``ﬁ`` equals ``fi``.
    Every run of white space becomes one space; what cannot be seen goes.
    """
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        for folded in _fold_character(character, case):
            if folded == " " and characters and characters[-1] == " ":
                continue
            characters.append(folded)
            origins.append(index)
    return Folded("".join(characters), origins)


def without_separators(folded: Folded) -> Folded:
    """Drop spaces and hyphens between letters or digits, so that ``IL-2``, ``IL 2`` and ``IL2`` are equal.

    Between two digits they stay: ``1-2`` is not ``12``. A hyphen at the end stays too: ``Ca2-`` is not ``Ca2``.
    """
    text = folded.text
    kept: list[int] = []
    end = 0
    for run in _SEPARATORS.finditer(text):
        kept.extend(range(end, run.end() if _divides(text, run.start(), run.end()) else run.start()))
        end = run.end()
    kept.extend(range(end, len(text)))
    return Folded("".join(text[index] for index in kept), [folded.origins[index] for index in kept])


_SEPARATORS = re.compile("[ -]+")


def _divides(text: str, start: int, end: int) -> bool:
    """Whether a run of separators keeps apart what would be something else when joined."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() and after.isalnum()) or (before.isdigit() and after.isdigit())


def _fold_character(character: str, case: bool) -> str:
    if "a" <= character <= "z" or "0" <= character <= "9":  # nearly every character; the rest is slow
        return character
    if character in INVISIBLE:
        return ""
    if character in _HYPHENS:
        return "-"
    if character in _QUOTES:
        return _QUOTES[character]
    if character.isspace():
        return " "
    folded = unicodedata.normalize("NFKD", character)
    if case:  # can make new letters that are decomposed again, such as those of İ
        folded = unicodedata.normalize("NFKD", folded.casefold())
    return folded if not folded.isspace() else " "  # of other widths
