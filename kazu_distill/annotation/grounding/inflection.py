"""Tokens without the endings of English and Latin plurals and possessives."""

from __future__ import annotations

from collections.abc import Sequence

_POSSESSIVE = ("'", "s")
_SHORTEST = 4  # letters of a word that may lose an ending; "AIDS" does, but its capitals tell it from "aid"


def without_endings(words: Sequence[str]) -> tuple[list[str], list[int]]:
    """The stems of tokens, and the index of the token that each is of.

    ``seizures`` and ``seizure``, ``biopsies`` and ``biopsy``, ``metastases`` and ``metastasis``, ``Alzheimer's`` and
    ``Alzheimer`` are equal. A stem is no word, it is only compared.
    """
    stems: list[str] = []
    indexes: list[int] = []
    known: dict[str, str] = {}
    for index, word in enumerate(words):
        if word in _POSSESSIVE and _is_possessive(words, index):
            continue
        if word not in known:
            known[word] = stem(word)
        stems.append(known[word])
        indexes.append(index)
    return stems, indexes


def stem(word: str) -> str:
    """A word without its ending."""
    if len(word) < _SHORTEST or not word.isalpha():
        return word
    if word.endswith(("ies", "y")):
        return word.removesuffix("ies").removesuffix("y") + "i"
    if word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return word[:-1] if word.endswith(("e", "i")) and len(word) > _SHORTEST else word


def _is_possessive(words: Sequence[str], index: int) -> bool:
    """Whether the token is of ``'s`` after a word."""
    start = index if words[index] == "'" else index - 1
    return start > 0 and tuple(words[start : start + 2]) == _POSSESSIVE and words[start - 1].isalpha()
