"""Trimming what does not belong to a mention from its edges."""

from __future__ import annotations

import re
from dataclasses import replace

from kazu_distill.annotation.cleaning.cleaner import Drop, Mend, Rule
from kazu_distill.annotation.grounding.folding import INVISIBLE
from kazu_distill.annotation.grounding.grounder import GroundedSpan
from kazu_distill.schema import Schema


def trim_edges(*, articles: bool = True) -> Rule:
    """Trim spaces, quotes, brackets without a partner, punctuation at the end, and (unless told) a leading article."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Mend | Drop:
        start, end = span.start, span.end
        before = (-1, -1)
        while (start, end) != before and start < end:
            before = (start, end)
            start, end = _trim_once(text, start, end, articles=articles)
        if start >= end:
            return Drop("nothing but punctuation")
        if (start, end) == (span.start, span.end):
            return span
        return Mend(replace(span, start=start, end=end), "edges trimmed")

    return rule


_ARTICLE = re.compile(r"(?:[Tt]he|an?|An)\s+")
_QUOTES = "\"'“”‘’„«»`"
_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {")": "(", "]": "[", "}": "{"}
_PRIMED = re.compile(r"\d['’]$")  # the end of a strand of DNA: 5' and 3'
_SHORTENED = re.compile(r"\b(?:spp?|var|subsp|cv|str|[A-Z])\.$")  # the full stop belongs to these: "Candida sp."


def _trim_once(text: str, start: int, end: int, *, articles: bool) -> tuple[int, int]:
    mention = text[start:end]
    first, last = mention[0], mention[-1]
    if _is_blank(first) or first in _QUOTES or first in ",;:" or _lonely_at_start(mention):
        return start + 1, end
    if first == "." and not mention[1:2].isdigit():  # ".05" is a number
        return start + 1, end
    if _is_blank(last) or last in ",;:!?" or _lonely_at_end(mention):
        return start, end - 1
    if last in _QUOTES and not _PRIMED.search(mention):
        return start, end - 1
    if last == "." and not _SHORTENED.search(mention):
        return start, end - 1
    article = _ARTICLE.match(mention) if articles else None
    return start + (article.end() if article else 0), end


def _is_blank(character: str) -> bool:
    return character.isspace() or character in INVISIBLE


def _lonely_at_start(mention: str) -> bool:
    """Whether a mention begins with a bracket whose partner it has not got."""
    opening = mention[0]
    if opening in _CLOSING:
        return True
    return opening in _OPENING and _partner(mention, opening, _OPENING[opening]) is None


def _lonely_at_end(mention: str) -> bool:
    closing = mention[-1]
    if closing in _OPENING:
        return True
    return closing in _CLOSING and _partner(mention[::-1], closing, _CLOSING[closing]) is None


def _partner(mention: str, bracket: str, partner: str) -> int | None:
    """Where the bracket that a mention begins with is closed; brackets of other kinds do not count."""
    depth = 0
    for index, character in enumerate(mention):
        depth += (character == bracket) - (character == partner)
        if depth == 0:
            return index
    return None
