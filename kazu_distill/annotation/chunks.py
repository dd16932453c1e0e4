"""Cutting a long text at sentence ends into chunks that an LLM can take."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A sentence ends at a stop, with closing quotes or brackets, before space and something that can begin a sentence;
# or at a line's end. Abbreviations cut too early now and then, which costs nothing here but a little context.
_SENTENCE_END = re.compile(r"""[.!?。!?]["'”’)\]]*\s+(?=[^\sa-z])|[。!?]|\n+""")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a text; ``start`` and ``end`` count code points, end exclusive."""

    start: int
    end: int


def chunks_of(text: str, *, longest: int) -> list[Chunk]:
    """Cut a text into chunks that together cover all of it, none longer than ``longest`` characters.

    A cut is made at the last sentence end that fits, else at the last space, else in the middle of a word.
    A text of only white space has no chunk.
    """
    if not text.strip():
        return []
    chunks: list[Chunk] = []
    start = 0
    while len(text) - start > longest:
        end = _last_cut(text, start, start + longest)
        chunks.append(Chunk(start, end))
        start = end
    chunks.append(Chunk(start, len(text)))
    return [chunk for chunk in chunks if text[chunk.start : chunk.end].strip()]


def halves(text: str, chunk: Chunk) -> list[Chunk]:
    """Cut a chunk into two at the sentence end (else the space) nearest to its middle; no cut: the chunk alone."""
    middle = (chunk.start + chunk.end) / 2
    inside = text[chunk.start : chunk.end]
    for boundary in (_SENTENCE_END, _SPACE):
        cuts = [chunk.start + match.end() for match in boundary.finditer(inside) if match.end() < len(inside)]
        if cuts:
            cut = min(cuts, key=lambda position: abs(position - middle))
            return [Chunk(chunk.start, cut), Chunk(cut, chunk.end)]
    return [chunk]


def _last_cut(text: str, start: int, end: int) -> int:
    # One character more than fits lets a boundary be seen whose lookahead is the next chunk's first character.
    for boundary in (_SENTENCE_END, _SPACE):
        cuts = [match.end() for match in boundary.finditer(text, start, end + 1) if start < match.end() <= end]
        if cuts:
            return cuts[-1]
    return end
