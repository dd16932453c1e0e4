"""Source annotations that may have several pieces: checked against the text, and made one stretch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from kazu_distill.documents import InvalidDocument, Span, problem_of
from kazu_distill.errors import ConfigError

Pieces: TypeAlias = Sequence[tuple[int, int]]

POLICIES = {
    "envelope": "discontinuous mentions replaced by their envelope",
    "first": "discontinuous mentions cut to their first piece",
    "drop": "discontinuous mentions dropped",
}


def check_policy(policy: str) -> None:
    """Check a setting of ``discontinuous``.

    Raises:
        ConfigError: it is not one of ``envelope``, ``first`` and ``drop``.
    """
    if policy not in POLICIES:
        raise ConfigError(f"corpus.reader.discontinuous is {policy!r}: choose {', '.join(POLICIES)}")


def check_mention(pieces: Pieces, label: str, written: str, text: str, *, ignore_case: bool = False) -> None:
    """Check that an annotation's pieces lie in the text and are the mention that its file spells out.

    Space is not compared exactly, because formats write a line break within a mention as a space.

    Raises:
        InvalidDocument: a piece is empty or not inside the text, or the text there is another.
    """
    for start, end in pieces:
        problem = problem_of(Span(start, end, label), text)
        if problem:
            raise InvalidDocument(f'({start}–{end}, "{label}") {problem}')
    found = " ".join(text[start:end] for start, end in pieces)
    if _folded(found, ignore_case) != _folded(written, ignore_case):
        where = ", ".join(f"{start}–{end}" for start, end in pieces)
        raise InvalidDocument(f'({where}, "{label}") should be "{written}", but the text there is "{found}"')


def one_stretch(pieces: Pieces, *, policy: str, adjusted: Counter[str]) -> tuple[int, int] | None:
    """Start and end of a mention; pieces that do not adjoin are joined by the policy and counted, None is a drop."""
    first_start, reached = min(pieces)
    first_end: int | None = None
    for start, end in sorted(pieces):
        if start > reached and first_end is None:
            first_end = reached
        reached = max(reached, end)
    if first_end is None:
        return first_start, reached
    adjusted[POLICIES[policy]] += 1
    return {"envelope": (first_start, reached), "first": (first_start, first_end), "drop": None}[policy]


def _folded(mention: str, ignore_case: bool) -> list[str]:
    return (mention.casefold() if ignore_case else mention).split()
