"""Stretches of a text that are similar to a string, but cannot mean something else."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapidfuzz import fuzz

Range = tuple[int, int]
Words = tuple[str, ...]

_SHORTEST = 5  # characters; shorter strings are similar to too much
_AFFIX = 4  # letters at the beginning or the end by which a misspelt word is looked up
# What bounds the work: places of a rare word to look around, words with an affix, words of a mention to start from.
_MOST_PLACES = 16
_MOST_WORDS = 64
_MOST_ANCHORS = 3

# Prefixes that make the opposite of a word, or another thing, of it.
_PREFIX = re.compile(
    r"\b(?:hyper|hypo|tachy|brady|anti|non|pre|post|intra|inter|extra|sub|super|supra|macro|micro|hemi|poly|mono|oligo"
    r"|di|tri|tetra|eu|dys|in|un|de|hydro|nor|iso|endo|exo)"
)
_TELLING = re.compile(r"\d+|[α-ω]|[+±-]|[ivx]+|\w")


def similar_sequences(words: Sequence[str], wanted: Mapping[str, Words], similarity: float) -> dict[str, list[Range]]:
    """For each string, the ranges of tokens that are most similar to its words, of those that are similar enough.

    Similarity is twice the length of the longest common subsequence of characters over the length of both (indel).
    Digits, signs, Greek and single letters, Roman numerals and the prefixes of opposites must be the same, so IL-2 is
    not similar to IL-3, nor hypertension to hypotension. A mention is compared where its rarest words stand, or words
    that begin or end as they do, in windows of one token more or less: the work for a string has a bound.
    """
    places = _Places(words)
    found: dict[str, list[Range]] = {}
    for string, own in wanted.items():
        target = " ".join(own)
        if len(target) < _SHORTEST:
            continue
        scored: dict[Range, float] = {}
        telling = _telling(own)
        for first, last in set(places.windows(own, similarity)):
            window = words[first : last + 1]
            score = fuzz.ratio(" ".join(window), target, score_cutoff=100 * similarity)
            if score and _telling(window) == telling:
                scored[first, last] = score
        best = max(scored.values(), default=0.0)
        if best:
            found[string] = sorted(window for window, score in scored.items() if score == best)
    return found


def _telling(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What of a name must be the same for it to mean the same."""
    return [word for word in words if _TELLING.fullmatch(word)], _PREFIX.findall(" ".join(words))


class _Places:
    """Where words stand, and which words begin or end alike."""

    def __init__(self, words: Sequence[str]) -> None:
        self._length = len(words)
        self._indexes: dict[str, list[int]] = defaultdict(list)
        for index, word in enumerate(words):
            self._indexes[word].append(index)
        self._alike: dict[str, list[str]] = defaultdict(list)
        for word in self._indexes:
            for affix in _affixes(word):
                if len(self._alike[affix]) < _MOST_WORDS:
                    self._alike[affix].append(word)

    def windows(self, own: Words, similarity: float) -> Iterator[Range]:
        """Ranges of about as many tokens around the rarest words of a mention."""
        anchors = [(word, offset) for offset, mine in enumerate(own) for word in self._words_like(mine, similarity)]
        rarest = sorted(anchors, key=lambda anchor: len(self._indexes[anchor[0]]))[:_MOST_ANCHORS]
        for word, offset in rarest:
            for index in self._indexes[word][:_MOST_PLACES]:
                for first in range(index - offset - 1, index - offset + 2):
                    for last in range(first + len(own) - 2, first + len(own) + 1):
                        if 0 <= first <= index <= last < self._length:
                            yield first, last

    def _words_like(self, word: str, similarity: float) -> Iterable[str]:
        if word in self._indexes:
            return (word,)
        alike = {other for affix in _affixes(word) for other in self._alike.get(affix, ())}
        return sorted(other for other in alike if fuzz.ratio(word, other, score_cutoff=100 * similarity))


def _affixes(word: str) -> tuple[str, ...]:
    return (f"{word[:_AFFIX]}…", f"…{word[-_AFFIX:]}") if len(word) >= _AFFIX and word.isalpha() else ()
