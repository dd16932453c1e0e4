"""Which words of a copy are which of the original, where a copy has small changes."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from rapidfuzz.distance import Indel

_RUN = 3  # words in a row that must agree for the two to meet again after a difference
_LONGEST_GAP = 400  # words between two meetings that are compared with each other; more are another text
_END = ""  # is no word


def align_words(copy: Sequence[str], original: Sequence[str]) -> list[int | None]:
    """For each word of the copy the index of the word in the original that it is a copy of, None where it is none.

    Both are read side by side. After a difference they go on where they next agree for three words (or up to the end of
    both), at the place that leaves the fewest words out of both; between two such meetings as many words are paired as
    can be. So a word that is left out, added or written otherwise costs its neighbours nothing, and of a passage that
    stands in the original several times the next one is meant. Linear in both lengths but for binary searches, since
    what a search for the next meeting looks at is never more than what it passes over.
    """
    pairs: list[int | None] = [None] * len(copy)
    meetings = _Meetings(copy, original)
    at, there = 0, 0
    while at < len(copy) and there < len(original):
        if copy[at] == original[there]:
            pairs[at] = there
            at, there = at + 1, there + 1
            continue
        meeting = meetings.next(at, there)
        if meeting is None:
            left = len(copy) - at
            _align_gap(pairs, copy, original, (at, len(copy)), (there, min(len(original), there + 2 * left + _RUN)))
            break
        _align_gap(pairs, copy, original, (at, meeting[0]), (there, meeting[1]))
        at, there = meeting
    return pairs


class _Meetings:
    """Where a copy and its original agree for some words in a row."""

    def __init__(self, copy: Sequence[str], original: Sequence[str]) -> None:
        self._copy = [*copy, *[_END] * (_RUN - 1)]
        self._original = [*original, *[_END] * (_RUN - 1)]
        self._places: dict[tuple[str, ...], list[int]] = {}

    def next(self, at: int, there: int) -> tuple[int, int] | None:
        """The nearest place for both from here on."""
        places = self._places or self._index()
        nearest: tuple[int, int] | None = None
        fewest = len(self._copy) + len(self._original)  # words that are passed over in both
        for index in range(at, len(self._copy) - _RUN + 1):
            if index - at >= fewest:
                break
            own = places.get(tuple(self._copy[index : index + _RUN]), ())
            following = bisect_left(own, there)
            if following < len(own) and index - at + own[following] - there < fewest:
                nearest = (index, own[following])
                fewest = index - at + own[following] - there
        return nearest

    def _index(self) -> dict[tuple[str, ...], list[int]]:
        places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for index in range(len(self._original) - _RUN + 1):
            places[tuple(self._original[index : index + _RUN])].append(index)
        self._places = dict(places)
        return self._places


def _align_gap(
    pairs: list[int | None],
    copy: Sequence[str],
    original: Sequence[str],
    here: tuple[int, int],
    there: tuple[int, int],
) -> None:
    """Align the words between two meetings."""
    if here[1] - here[0] > _LONGEST_GAP or there[1] - there[0] > _LONGEST_GAP:
        return
    for step in Indel.opcodes(copy[slice(*here)], original[slice(*there)]):
        if step.tag == "equal":
            first, end = there[0] + step.dest_start, there[0] + step.dest_end
            pairs[here[0] + step.src_start : here[0] + step.src_end] = range(first, end)
