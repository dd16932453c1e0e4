"""Mentions that are two: a long form with its abbreviation, a name with a gloss."""

from __future__ import annotations

import re

_SHORT_FORM = re.compile(r"\S{2,10}")
_SHORTEST_LONG_FORM = 5
_ALSO = re.compile(
    r"(?:also (?:known|referred to) as|also called|a\.?k\.?a\.?|i\.?e\.?,?|or|abbreviated(?: as)?)\s+", re.I
)


def split_abbreviation(mention: str) -> list[str]:
    """Both mentions of "long form (SF)" where SF abbreviates the long form, else the mention itself.

    SF abbreviates it when its letters and digits stand in the long form in that order, the first at a word's head,
    after A. Schwartz and M. Hearst, "A simple algorithm for identifying abbreviation definitions", PSB 2003.
    """
    match = _around_brackets(mention, "()")
    if match is None:
        return [mention]
    long, short = match
    if _SHORT_FORM.fullmatch(short) is None or len(long) < _SHORTEST_LONG_FORM or not _abbreviates(short, long):
        return [mention]
    return [long, short]


def parts_around_brackets(mention: str) -> list[str]:
    """What stands before brackets at the end of a mention, and what stands in them: "TNF (also known as cachectin)".

    LLMs explain a name in brackets; only one of both may be in the text.
    """
    match = _around_brackets(mention, "()") or _around_brackets(mention, "[]")
    return [match[0], _ALSO.sub("", match[1].strip(), count=1)] if match else []


def _around_brackets(mention: str, brackets: str) -> tuple[str, str] | None:
    """What stands before the only brackets of a mention, at its end, and in them."""
    stripped = mention.rstrip()
    if not stripped.endswith(brackets[1]):
        return None
    before, _, inside = stripped[:-1].partition(brackets[0])
    if not before.strip() or not inside.strip() or any(mark in before or mark in inside for mark in "()[]"):
        return None
    return before.strip(), inside


def _abbreviates(short: str, long: str) -> bool:
    wanted = [character for character in short.casefold() if character.isalnum()]
    if not wanted or len(short) >= len(long):
        return False
    # From right to left, as in the paper: each character as far right as can be, the first at the head of a word.
    position = len(long)
    folded = long.casefold()
    for index, character in reversed(list(enumerate(wanted))):
        position = folded.rfind(character, 0, position)
        while index == 0 and position > 0 and folded[position - 1].isalnum():
            position = folded.rfind(character, 0, position)
        if position < 0:
            return False
    return True
