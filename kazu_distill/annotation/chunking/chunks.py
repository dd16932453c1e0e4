"""Cutting a long text at sentence ends into chunks that an LLM can take."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from kazu_distill.annotation.chunking.sentences import Ends, ends_in, splits_character
from kazu_distill.errors import ConfigError
from kazu_distill.llm.tokens import MOST_PER_CHARACTER, TokenCounts, estimate_tokens

_CLAUSE_END = regex.compile(r"[,;:][\"'”’)\]]*+\s++|[，；：、]++\s*+")
_SPACE = regex.compile(r"\s++")
_CHARACTER = regex.compile(r"\X")  # what a reader sees as one, with its accents and joiners

# Chunks are planned a little smaller than they may be, so that there is room to choose where to cut.
_FILLED = 0.9
_LEAST = 0.7  # of the wanted size, where there is a choice
_LONGEST_TOKEN = 20  # characters; more than this a token of context is never looked back for


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a text; ``start`` and ``end`` count code points, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunker:
    """Cuts texts, in time that grows as their length does.

    Args:
        tokens: the most that a chunk has, as ``estimate_tokens`` counts.
        context_tokens: the most of what stands before a chunk to show with it; 0 shows nothing.

    Raises:
        ConfigError: a chunk of no tokens, or less than nothing to show.
    """

    tokens: int
    context_tokens: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ConfigError(f"chunks.tokens={self.tokens}: a chunk needs at least one token")
        if self.context_tokens < 0:
            raise ConfigError(f"chunks.context_tokens={self.context_tokens}: 0 shows no context, less is not possible")

    def chunks(self, text: str) -> list[Chunk]:
        """Cut a text into chunks of about one size that together cover all of it but stretches of space.

        A cut is made at a paragraph's end where one is near, else at a sentence's, a line's or a clause's end, else at
        a space, else between two characters. Only a character that is larger than the limit makes a larger chunk.
        """
        if len(text) * MOST_PER_CHARACTER <= self.tokens or estimate_tokens(text) <= self.tokens:
            chunks = [Chunk(0, len(text))]
        else:
            counts, ends, starts = TokenCounts(text), ends_in(text), [0]
            while (left := counts.between(starts[-1], len(text))) > self.tokens:
                pieces = math.ceil(left / (_FILLED * self.tokens))
                starts.append(_cut(text, ends, counts, Chunk(starts[-1], len(text)), left / pieces, self.tokens))
            chunks = [Chunk(*cuts) for cuts in zip(starts, [*starts[1:], len(text)], strict=True)]
        return [chunk for chunk in chunks if _has_text(text, chunk)]

    def halves(self, text: str, chunk: Chunk) -> list[Chunk]:
        """Cut a chunk into two of about one size; a chunk of a single character stays alone."""
        inside = text[chunk.start : chunk.end]
        if len(inside) < 2:
            return [chunk]
        counts = TokenCounts(inside)
        tokens = counts.between(0, len(inside))
        cut = _cut(inside, ends_in(inside), counts, Chunk(0, len(inside)), tokens / 2, 0.9 * tokens)
        halves = [Chunk(chunk.start, chunk.start + cut), Chunk(chunk.start + cut, chunk.end)]
        return halves if all(_has_text(text, half) for half in halves) else [chunk]

    def context(self, text: str, chunk: Chunk) -> str:
        """The whole sentences before a chunk that fit into ``context_tokens``; empty for a text's first chunk."""
        if not self.context_tokens or not chunk.start:
            return ""
        first = max(0, chunk.start - _LONGEST_TOKEN * self.context_tokens)
        before = text[first : chunk.start]
        earliest = first + TokenCounts(before).start_of(len(before), self.context_tokens)
        if earliest == 0:
            return before.strip()
        start = ends_in(text, max(0, earliest - 1), chunk.start).first_after(earliest)
        return "" if start is None else text[start : chunk.start].strip()


def _cut(text: str, ends: Ends, counts: TokenCounts, span: Chunk, wanted: float, most: float) -> int:
    """The best place to cut a stretch so that about ``wanted`` tokens, and at most ``most``, stand before it."""
    start = span.start
    target = counts.end_of(start, wanted)
    limit = counts.end_of(start, most)
    # A cut in this window leaves no crumb on either side of it.
    left = counts.between(start, span.end)
    near, far = counts.end_of(start, _LEAST * wanted), counts.end_of(start, min(most, left - wanted * _LEAST))
    some = counts.end_of(start, wanted / 4)
    for positions, low, high in (
        (ends.paragraphs, near, far),
        (ends.sentences, near, far),
        (ends.paragraphs, some, limit),
        (ends.sentences, some, limit),
        (ends.lines, some, limit),
    ):
        cut = _nearest(positions, target, max(low, start + 1), min(high, span.end - 1))
        if cut is not None:
            return cut
    for pattern, low in ((_CLAUSE_END, some), (_SPACE, start)):
        found = [match.end() for match in pattern.finditer(text, start, limit)]
        positions = [position for position in found if not splits_character(text, position)]
        cut = _nearest(positions, target, max(low, start + 1), min(limit, span.end - 1))
        if cut is not None:
            return cut
    return _between_characters(text, start, target)


def _nearest(positions: Sequence[int], target: int, low: int, high: int) -> int | None:
    """Of ascending positions from ``low`` to ``high``, the one nearest to the target."""
    place = bisect_left(positions, target)
    near = [position for position in positions[max(0, place - 1) : place + 1] if low <= position <= high]
    return min(near, key=lambda position: abs(position - target), default=None)


def _between_characters(text: str, start: int, target: int) -> int:
    """The last place up to the target that splits no character; after the first character where there is none."""
    # Only a part is looked at: whether flags pair up is found out by going back to where they begin.
    length = max(target - start, 1)
    whole = _character_ends(text[start : start + length + 1], length)
    if whole:
        return start + whole[-1]
    while not whole:
        length *= 2
        whole = _character_ends(text[start : start + length + 1], length)
    return start + whole[0]


def _character_ends(part: str, length: int) -> list[int]:
    """Where the characters end of a part that is cut off behind ``length``."""
    ends = (character.end() for character in _CHARACTER.finditer(part))
    return [end for end in ends if end <= length]


def _has_text(text: str, chunk: Chunk) -> bool:
    return bool(text[chunk.start : chunk.end].strip())
