"""Cleaning grounded spans: rules that keep, mend or drop a span, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from kazu_distill.annotation.grounding.grounder import GroundedSpan
from kazu_distill.errors import ConfigError
from kazu_distill.excerpts import marked
from kazu_distill.schema import Schema


@dataclass(frozen=True, slots=True)
class Drop:
    """A rule's decision against a span."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mend:
    """A rule's decision that a span should have other edges, and what was wrong with them."""

    span: GroundedSpan
    reason: str


Rule = Callable[[GroundedSpan, str, Schema], GroundedSpan | Mend | Drop]
"""Given a span, the text it is in and the schema: the span as it is, how it is mended, or why it is dropped."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A span that was dropped, its mention and the reason; ``context`` is the mention marked in the text around it."""

    span: GroundedSpan
    mention: str
    reason: str
    context: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A span that stays with other edges: its mention now, why, the mention that it was, and that one in the text."""

    span: GroundedSpan
    mention: str
    rule: str
    was: str
    context: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The spans that stay, in order of their place, those that do not, and which of the first were mended."""

    kept: list[GroundedSpan]
    dropped: list[Dropped]
    mended: list[Mended]


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

    def clean(self, text: str, spans: Iterable[GroundedSpan]) -> Cleaned:
        """Apply the rules to the spans of a text."""
        kept: dict[tuple[int, int, str], GroundedSpan] = {}
        mended: dict[GroundedSpan, list[Mended]] = {}
        dropped: list[Dropped] = []
        for span in spans:
            outcome, mends = self._apply_rules(span, text)
            if isinstance(outcome, Drop):
                dropped.append(_dropped(span, text, outcome.reason))
            elif (place := (outcome.start, outcome.end, outcome.label)) in kept:
                dropped.append(_dropped(span, text, "duplicate"))
            else:
                kept[place], mended[outcome] = outcome, mends
        ordered = sorted(kept.values(), key=lambda span: (span.start, -span.end, span.label))
        if self._nested == "longest":
            inside = _inside_their_own_class(ordered)
            dropped += [_dropped(span, text, "inside a span of its class") for span in inside]
            ordered = [span for span in ordered if span not in inside]
        return Cleaned(ordered, dropped, [mend for span in ordered for mend in mended[span]])

    def _apply_rules(self, span: GroundedSpan, text: str) -> tuple[GroundedSpan | Drop, list[Mended]]:
        mended: list[Mended] = []
        for rule in self._rules:
            outcome = rule(span, text, self._schema)
            if isinstance(outcome, Drop):
                return outcome, []
            if isinstance(outcome, Mend):
                was, context = text[span.start : span.end], marked(text, span.start, span.end)
                span = outcome.span
                mended.append(Mended(span, text[span.start : span.end], outcome.reason, was, context))
        return span, mended


def _dropped(span: GroundedSpan, text: str, reason: str) -> Dropped:
    return Dropped(span, text[span.start : span.end], reason, marked(text, span.start, span.end))


def _inside_their_own_class(ordered: Sequence[GroundedSpan]) -> dict[GroundedSpan, None]:
    """Those of the ordered spans that lie inside another one of their class."""
    furthest: dict[str, int] = {}
    inside: dict[GroundedSpan, None] = {}
    for span in ordered:
        if span.end <= furthest.get(span.label, -1):
            inside[span] = None
        furthest[span.label] = max(furthest.get(span.label, -1), span.end)
    return inside
