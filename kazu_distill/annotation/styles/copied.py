"""A text and an LLM's copy of it: what stands where in the one, stands where in the other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from rapidfuzz import fuzz

from kazu_distill.annotation.grounding.boundaries import past_accents
from kazu_distill.annotation.grounding.tokens import Place, Tokens, tokenise
from kazu_distill.annotation.parsing.lenient_json import excerpt
from kazu_distill.annotation.styles.word_alignment import align_words

LEAST_COPIED = 0.5
"""The share of a text that an answer without a mention must repeat, to say that there is none."""

_FEW = 5  # words of the text that a copy may leave out at one place without having lost a part of it
_ALIKE = 60  # of 100, of what is written in other words at two places that correspond


class Copied:
    """A copy of a text, as a part of an answer.

    LLMs change white space, case and quotes while they copy, drop words and add some. Words are compared as grounding
    does, so most of this is not seen; ``align_words`` deals with the rest. Linear in both texts.

    Args:
        copy: what the LLM wrote.
        text: what it was to copy.
    """

    def __init__(self, copy: str, text: str) -> None:
        self._copy = copy
        self._text = text
        self._is_exact = copy.strip() == text.strip()
        self._moved = _before(text) - _before(copy)  # if it is exact
        self._own = _Words.of("" if self._is_exact else copy)
        self._words = _Words.of("" if self._is_exact else text)
        self._pairs = align_words(self._own.tokens.words, self._words.tokens.words)

    @property
    def share(self) -> float:
        """Of the words of the text, the share that stands in the copy, 0 to 1."""
        words = len(self._words.starts)
        return sum(pair is not None for pair in self._pairs) / words if words else 1.0

    @property
    def ends_early(self) -> bool:
        """Whether the copy ends before the text does, be it by a full stop."""
        return self._missing_at_end() > 0

    def left_out(self) -> str | None:
        """What of the text is missing, as a sentence's main part; None where it is no more than a few words."""
        if self._is_exact:
            return None
        if self._has_word(len(self._words.starts) - self._missing_at_end(), len(self._words.starts)):
            ending = excerpt(self._copy, len(self._copy))
            return f"the copy of the text ends before the text does; its last words are: {ending}"
        before, there = -1, -1
        for index, pair in enumerate([*self._pairs, len(self._words.starts)]):
            if pair is None:
                continue
            if (pair - there) - (index - before) > _FEW:
                return f"the copy leaves a part of the text out: {excerpt(self._text, self._words.starts[there + 1])}"
            before, there = index, pair
        return None

    def place(self, start: int, end: int) -> Place | None:
        """Where a stretch of the copy stands in the text; None where that is not sure."""
        if self._is_exact:
            place = max(0, start + self._moved), min(len(self._text), end + self._moved)
            return place if place[0] < place[1] else None
        first, last = self._own.between(start, end)
        if first > last:
            return None
        from_, to = self._first(first), self._last(last)
        if from_ is None or to is None or from_ > to or not self._is_alike((first, last), (from_, to)):
            return None
        return self._edges((start, end), (first, last), (from_, to))

    def _first(self, index: int) -> int | None:
        """The word in the text for the first one of a stretch, if need be the one after that of the word before."""
        own = self._pairs[index]
        if own is not None:
            return own
        before = -1 if index == 0 else self._pairs[index - 1]
        return None if before is None or before + 1 >= len(self._words.starts) else before + 1

    def _last(self, index: int) -> int | None:
        own = self._pairs[index]
        if own is not None:
            return own
        after = len(self._words.starts) if index + 1 == len(self._pairs) else self._pairs[index + 1]
        return None if after is None or after == 0 else after - 1

    def _is_alike(self, own: tuple[int, int], there: tuple[int, int]) -> bool:
        if self._pairs[own[0] : own[1] + 1] == [*range(there[0], there[1] + 1)]:
            return True
        if there[1] - there[0] > 2 * (own[1] - own[0] + _FEW):
            return False
        ours, theirs = (
            " ".join(words.tokens.words[first : last + 1])
            for words, (first, last) in ((self._own, own), (self._words, there))
        )
        return fuzz.ratio(ours, theirs) >= _ALIKE

    def _edges(self, stretch: Place, own: tuple[int, int], there: tuple[int, int]) -> Place | None:
        """The edges to the character: those of the words, or inside them, or in what is between words but for space."""
        copy, text = self._copy, self._text
        own_start, own_end = self._own.starts[own[0]], self._own.ends[own[1]]
        start, end = self._words.starts[there[0]], past_accents(text, self._words.ends[there[1]])
        if stretch[0] > own_start:
            if not self._is_same_word(own[0], there[0]):
                return None
            start += stretch[0] - own_start
        elif text[:start].endswith(head := copy[stretch[0] : own_start].lstrip()):
            start -= len(head)
        if stretch[1] < own_end:
            if not self._is_same_word(own[1], there[1]):
                return None
            end = self._words.ends[there[1]] - (own_end - stretch[1])
        elif text.startswith(tail := copy[own_end : stretch[1]].rstrip(), self._words.ends[there[1]]):
            end = max(end, self._words.ends[there[1]] + len(tail))
        return (start, end) if start < end else None

    def _is_same_word(self, own: int, there: int) -> bool:
        return self._own.surface(own) == self._words.surface(there)

    def _missing_at_end(self) -> int:
        """The number of words at the end of the text for which there is nothing in the copy, or the first of them."""
        if self._is_exact:
            return 0
        known = [(index, pair) for index, pair in enumerate(self._pairs) if pair is not None]
        last, there = known[-1] if known else (-1, -1)
        missing, left = len(self._words.starts) - 1 - there, len(self._pairs) - 1 - last
        rest = self._text[self._words.ends[there] if known else 0 :].strip()
        cut = rest.startswith(self._copy[self._own.ends[last] if known else 0 :].strip())  # inside a word
        return missing if cut else max(0, missing - left)

    def _has_word(self, first: int, end: int) -> bool:
        return any(word[0].isalnum() for word in self._words.tokens.words[first:end])


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text with their offsets in it."""

    text: str
    tokens: Tokens
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> _Words:
        tokens = tokenise(text)
        origins = tokens.folded.origins
        starts = [origins[start] for start in tokens.starts]
        return cls(text, tokens, starts, [origins[end - 1] + 1 for end in tokens.ends])

    def between(self, start: int, end: int) -> tuple[int, int]:
        """The first and the last word of which something stands in a stretch; the last before the first if none."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end) - 1

    def surface(self, index: int) -> str:
        return self.text[self.starts[index] : self.ends[index]]


def _before(text: str) -> int:
    """The number of white space characters that a text begins with."""
    return len(text) - len(text.lstrip())
