"""A text as the tokens that mentions are compared by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from kazu_distill.annotation.grounding.boundaries import UNSPACED
from kazu_distill.annotation.grounding.folding import Folded, fold

Place = tuple[int, int]
"""Offsets into a text in code points, end exclusive."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text; token ``i`` is ``folded.text[starts[i]:ends[i]]``, or the letter of that name."""

    words: list[str]
    starts: list[int]
    ends: list[int]
    folded: Folded

    def place(self, first: int, last: int) -> Place | None:
        """Where in the original text the tokens from ``first`` to ``last`` stand.

        ``None`` where that begins or ends inside what one character was folded to, such as ``½``.
        """
        start, end, folded = self.starts[first], self.ends[last], self.folded
        if not (folded.one_to_one or (folded.is_edge(start) and folded.is_edge(end))):
            return None
        return folded.origins[start], folded.origins[end - 1] + 1


def tokenise(text: str) -> Tokens:
    """Cut a text into tokens, which are equal for what is only written in another way.

    Letters, digits, Greek letters and everything else are tokens apart, so ``IL-2``, ``IL 2`` and ``IL2`` are equal;
    the name of a Greek letter is that letter, so ``TNF-alpha`` and ``TNFα`` are too. Space is not seen, nor is a hyphen
    that joins words. A hyphen between digits (``1-2`` is not ``1 2``), in brackets (``(-)``) or after the symbol of an
    ion (``Ca2-``, ``Cl-``) is a token.
    """
    folded = fold(text)
    parts = _TOKEN.split(folded.text)  # what is between tokens, a token, what is between …
    offsets = list(accumulate(map(len, parts), initial=0))
    tokens = Tokens(parts[1::2], offsets[1:-1:2], offsets[2::2], folded)
    cuts = {word: _cut_at_greek(word) for word in set(tokens.words) if _GREEK.search(word)}
    return _cut(tokens, cuts) if cuts else tokens


def words_of(strings: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of many short strings, at once because each call of ``tokenise`` costs as much as many words."""
    words = tokenise(_APART.join(string.replace(_APART, " ") for string in strings)).words
    edges = [-1, *(index for index, word in enumerate(words) if word == _APART), len(words)]
    return [tuple(words[before + 1 : edge]) for before, edge in pairwise(edges)] if strings else []


_APART = "\0"


def inner_capitals(text: str) -> str:
    """The capitals of a text that do not begin a word, by which ``CAT`` differs from ``Cat`` and ``cat``."""
    if text.islower():
        return ""
    return "".join(letter for before, letter in pairwise(text) if letter.isupper() and before.isalpha())


_Part = tuple[str, int, int]  # of a word, with its first offset and the one after its last


def _cut(tokens: Tokens, cuts: Mapping[str, Sequence[_Part]]) -> Tokens:
    """The tokens with those words replaced by their parts."""
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for index in [index for index, word in enumerate(tokens.words) if word in cuts]:
        parts, start = cuts[tokens.words[index]], tokens.starts[index]
        words += [*tokens.words[done:index], *(part for part, _, _ in parts)]
        starts += [*tokens.starts[done:index], *(start + first for _, first, _ in parts)]
        ends += [*tokens.ends[done:index], *(start + last for _, _, last in parts)]
        done = index + 1
    words += tokens.words[done:]
    return Tokens(words, starts + tokens.starts[done:], ends + tokens.ends[done:], tokens.folded)


def _cut_at_greek(word: str) -> list[_Part]:
    if word in _GREEK_LETTERS:
        return [(_GREEK_LETTERS[word], 0, len(word))]
    edges = [0, *(edge for name in _LONG_NAME.finditer(word) for edge in name.span()), len(word)]
    parts = [(word[first:last], first, last) for first, last in pairwise(edges) if first < last]
    return [(_GREEK_LETTERS.get(part, part), first, last) for part, first, last in parts]


_GREEK_NAMES = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu
    nu xi omicron pi rho sigma tau upsilon phi chi psi omega
"""
_GREEK_LETTERS = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True))
# Names that are taken for letters inside a word too ("TNFalpha"); shorter ones are in too many words.
_LONG_NAME = re.compile("alpha|beta|gamma|delta|epsilon|kappa|lambda|sigma|omega")
_GREEK = re.compile(rf"{_LONG_NAME.pattern}|^(?:{'|'.join(_GREEK_LETTERS)})$")

_TOKEN = re.compile(
    rf"([^\W\d_α-ω{UNSPACED}]+|\d+|[α-ω{UNSPACED}_]"
    r"|(?:(?<=\d)|(?<=\d ))-(?= ?\d)"  # 1-2
    r"|(?<=[\[({/])-(?=[\])}])"  # (-), (+/-)
    r"|(?:(?<=[\d)+])|(?<=\b[a-z])|(?<=\b[a-z][a-z]))-(?![^\W_]|[\[({])"  # Ca2-, Cl-
    r"|[^\w\s-])"
)
