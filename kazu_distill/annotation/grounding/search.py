"""All the places of many sequences in one, by an automaton (Aho and Corasick, CACM 1975)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice, product

import ahocorasick

# Elements are written in this base, with other digits at each position: the automaton looks through all that can come
# next at a node, so thousands of different characters would be slow.
_BASE = 32
_ELSEWHERE = "\0"  # is at each position of everything that is in no needle
# In a text such as "a a a a …" with the needles "a", "a a", "a a a" … the places are without number. After this many
# only the longest are read, one after the other; texts of several megabytes seldom have as many.
_MOST_PLACES = 100_000


def find_sequences(
    haystack: Sequence[str], needles: Iterable[Sequence[str]]
) -> dict[tuple[str, ...], list[tuple[int, int]]]:
    """Where each needle stands in the haystack: the index of its first and of its last element, in order.

    Linear in both: see ``_MOST_PLACES``. Needles that do not stand there are left out.
    """
    sequences = list({tuple(needle) for needle in needles if needle})
    if not sequences:
        return {}
    codes, width = _codes({element for needle in sequences for element in needle})
    automaton = ahocorasick.Automaton()
    for number, needle in enumerate(sequences):
        automaton.add_word("".join([codes[element] for element in needle]), number)
    automaton.make_automaton()
    ranges: list[list[tuple[int, int]]] = [[] for _ in sequences]
    lengths = [len(needle) for needle in sequences]
    elsewhere = _ELSEWHERE * width
    for last_digit, number in _matches(automaton, "".join([codes.get(element, elsewhere) for element in haystack])):
        last = last_digit // width
        ranges[number].append((last - lengths[number] + 1, last))
    return {needle: own for needle, own in zip(sequences, ranges, strict=True) if own}


def _codes(elements: Collection[str]) -> tuple[dict[str, str], int]:
    """A string for each element, all of one length, by which elements are looked for in a string; and that length."""
    width = 1
    while _BASE**width < len(elements):
        width += 1
    digits = [[chr(1 + position * _BASE + digit) for digit in range(_BASE)] for position in range(width)]
    return dict(zip(sorted(elements), map("".join, product(*digits)), strict=False)), width


def _matches(automaton: ahocorasick.Automaton, haystack: str) -> Iterator[tuple[int, int]]:
    """The index at which a needle ends, and its number."""
    matches = automaton.iter(haystack)
    last = -1
    for last, number in islice(matches, _MOST_PLACES):
        yield last, number
    if next(matches, None) is not None:
        yield from automaton.iter_long(haystack, last + 1)
