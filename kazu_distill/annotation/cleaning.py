"""Cleaning grounded spans: rules that keep, mend or drop a span, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kazu_distill.annotation.grounding import GroundedSpan
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema


@dataclass(frozen=True, slots=True)
class Drop:
    """A rule's decision against a span."""

    reason: str


Rule = Callable[[GroundedSpan, str, Schema], GroundedSpan | Drop]
"""Given a span, the text it is in and the schema: the span, perhaps with other edges, or why it is dropped."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A span that was dropped, its mention and the reason."""

    span: GroundedSpan
    mention: str
    reason: str


class Cleaner:
    """Applies rules in order, then leaves one of spans that say the same.

    Args:
        schema: the classes and their stop words.
        rules: each sees what the one before it kept.
        nested: what stays of two spans of one class, one inside the other: the ``longest`` or ``all``.
    """

    def __init__(self, *, schema: Schema, rules: Sequence[Rule], nested: Literal["longest", "all"] = "longest") -> None:
        if nested not in ("longest", "all"):
            raise ConfigError(f"cleaning.nested is {nested!r}: choose longest or all")
        self._schema = schema
        self._rules = tuple(rules)
        self._nested = nested

    def clean(self, text: str, spans: Iterable[GroundedSpan]) -> tuple[list[GroundedSpan], list[Dropped]]:
        """The spans that stay, in order of their place, and those that do not."""
        kept: dict[tuple[int, int, str], GroundedSpan] = {}
        dropped: list[Dropped] = []
        for span in spans:
            outcome = self._apply_rules(span, text)
            if isinstance(outcome, Drop):
                dropped.append(Dropped(span, text[span.start : span.end], outcome.reason))
            elif (place := (outcome.start, outcome.end, outcome.label)) in kept:
                dropped.append(Dropped(span, text[span.start : span.end], "duplicate"))
            else:
                kept[place] = outcome
        ordered = sorted(kept.values(), key=lambda span: (span.start, -span.end, span.label))
        if self._nested == "longest":
            inside = _inside_their_own_class(ordered)
            dropped += [Dropped(span, text[span.start : span.end], "inside a span of its class") for span in inside]
            ordered = [span for span in ordered if span not in inside]
        return ordered, dropped

    def _apply_rules(self, span: GroundedSpan, text: str) -> GroundedSpan | Drop:
        for rule in self._rules:
            outcome = rule(span, text, self._schema)
            if isinstance(outcome, Drop):
                return outcome
            span = outcome
        return span


def trim_edges(*, articles: bool = True) -> Rule:
    """Trim spaces, quotes, brackets without a partner, punctuation at the end, and (unless told) a leading article."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        start, end = span.start, span.end
        before = (-1, -1)
        while (start, end) != before and start < end:
            before = (start, end)
            start, end = _trim_once(text, start, end, articles=articles)
        return replace(span, start=start, end=end) if start < end else Drop("nothing but punctuation")

    return rule


def minimal_length(*, characters: int = 2) -> Rule:
    """Drop mentions shorter than a number of characters (Kazu's is 2)."""

    def rule(span: GroundedSpan, *_: object) -> GroundedSpan | Drop:
        return span if span.end - span.start >= characters else Drop("too short")

    return rule


def maximal_words(*, words: int = 15) -> Rule:
    """Drop mentions of more words than an entity has: an LLM that copies whole sentences."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return span if len(text[span.start : span.end].split()) <= words else Drop("too many words")

    return rule


def not_a_sentence() -> Rule:
    """Drop mentions that go on over a sentence's end."""

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return Drop("goes over a sentence's end") if _SENTENCE_END.search(text[span.start : span.end]) else span

    return rule


def not_a_stop_word() -> Rule:
    """Drop mentions that the schema lists as too general for their class, and the class's own name."""

    def rule(span: GroundedSpan, text: str, schema: Schema) -> GroundedSpan | Drop:
        mention = " ".join(text[span.start : span.end].casefold().split())
        entity_class = schema.find(span.label)
        if entity_class is not None and mention in entity_class.stop_words:
            return Drop("stop word")
        own_name = span.label.casefold()
        return Drop("the class's own name") if mention in (own_name, f"{own_name}s") else span

    return rule


def not_a_placeholder(*, placeholders: Collection[str]) -> Rule:
    """Drop words by which an LLM says that there is nothing, where they happen to stand in the text."""
    folded = {placeholder.casefold() for placeholder in placeholders}

    def rule(span: GroundedSpan, text: str, _: Schema) -> GroundedSpan | Drop:
        return Drop("placeholder") if text[span.start : span.end].casefold() in folded else span

    return rule


# "S. Typhimurium strain LT2" is no sentence's end: a single capital before the stop is an initial.
_SENTENCE_END = re.compile(r"(?<!\b[A-Z])[.!?]\s+[A-Z]\w*\s+[a-z]+\s|\n\s*\n")
_ARTICLE = re.compile(r"(?:[Tt]he|an?|An)\s+")
_QUOTES = "\"'“”‘’„«»`"
_PARTNERS = {"(": ")", "[": "]", "{": "}", ")": "(", "]": "[", "}": "{"}
_SHORTENED = re.compile(r"\b(?:spp?|var|subsp|cv|str|[A-Z])\.$")  # the full stop belongs to these: "Candida sp."


def _trim_once(text: str, start: int, end: int, *, articles: bool) -> tuple[int, int]:
    mention = text[start:end]
    first, last = mention[0], mention[-1]
    if first.isspace() or first in _QUOTES or first in ",;:." or _lonely(first, mention):
        return start + 1, end
    if last.isspace() or last in ",;:!?" or _lonely(last, mention):
        return start, end - 1
    if last in _QUOTES and last not in "'’`":  # 5' and 3' end with a prime
        return start, end - 1
    if last == "." and not _SHORTENED.search(mention):
        return start, end - 1
    article = _ARTICLE.match(mention) if articles else None
    return start + (article.end() if article else 0), end


def _lonely(character: str, mention: str) -> bool:
    """Whether an edge is a bracket whose partner is not in the mention."""
    partner = _PARTNERS.get(character)
    return partner is not None and mention.count(character) > mention.count(partner)


def _inside_their_own_class(ordered: Sequence[GroundedSpan]) -> set[GroundedSpan]:
    """Those of the ordered spans that lie inside another one of their class."""
    furthest: dict[str, int] = {}
    inside: set[GroundedSpan] = set()
    for span in ordered:
        if span.end <= furthest.get(span.label, -1):
            inside.add(span)
        furthest[span.label] = max(furthest.get(span.label, -1), span.end)
    return inside
