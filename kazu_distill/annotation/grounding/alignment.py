"""Which place of a string each of its listings means, when mentions are listed in order of appearance."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kazu_distill.annotation.grounding.tokens import Place


@dataclass(frozen=True, slots=True)
class Listing:
    """A mention in its turn: which string it is, by number, and its class."""

    string: int
    label: str


def align(listings: Sequence[Listing], places: Sequence[Sequence[Place]]) -> list[Place | None]:
    """The place of each listing, ``None`` for those that have none left.

    ``places[string]`` are those of a string, in order. Its listings go to places in this order, always: the k-th to
    the k-th where there are as many of both. Where there are fewer places than listings, each class counts its own,
    so that two classes can share a place. Where there are fewer listings, their neighbours in the list decide: a
    listing goes to the first place from where the mention before it stands to where the next one stands that can only
    be at one place. So the order of the whole list is kept where that is possible. Where it is not, as in an answer
    that lists class by class, a listing follows the neighbours that it does fit.

    Linear in listings and places, but for a binary search for each listing.
    """
    totals = Counter(listing.string for listing in listings)
    chosen = _only_places(listings, places, totals)
    trusted = _trusted([place and place[0] for place in chosen])
    following = _following(trusted)
    seen: Counter[int] = Counter()
    next_index = [0] * len(places)
    cursor = 0
    for turn, listing in enumerate(listings):
        string, own = listing.string, places[listing.string]
        if totals[string] >= len(own):
            cursor = _first_known(trusted[turn], cursor)
            continue
        lower, upper = cursor, _first_known(following[turn], _FAR)
        if upper < lower:  # the order is broken between here and there
            changes_class = turn > 0 and listings[turn - 1].label != listing.label
            lower, upper = (0, upper) if changes_class else (lower, _FAR)
        seen[string] += 1
        reserved = totals[string] - seen[string]  # places that the listings still to come need
        index = _between(own, next_index[string], len(own) - reserved, lower, upper)
        next_index[string] = index + 1
        chosen[turn] = own[index]
        if lower <= own[index][0] <= upper:
            cursor = own[index][0]
    return chosen


_FAR = 1 << 62


def _only_places(
    listings: Sequence[Listing], places: Sequence[Sequence[Place]], totals: Counter[int]
) -> list[Place | None]:
    """The places of strings that are listed at least as often as they stand in the text."""
    seen: Counter[int] = Counter()
    seen_of_class: dict[tuple[int, str], int] = defaultdict(int)
    chosen: list[Place | None] = []
    for listing in listings:
        own = places[listing.string]
        key = (listing.string, listing.label)
        turn = seen_of_class[key] if totals[listing.string] > len(own) else seen[listing.string]
        seen[listing.string] += 1
        seen_of_class[key] += 1
        chosen.append(own[turn] if totals[listing.string] >= len(own) > turn else None)
    return chosen


def _trusted(starts: Sequence[int | None]) -> list[int | None]:
    """The starts without those that jump away from two neighbours that are in order."""
    known = [(turn, start) for turn, start in enumerate(starts) if start is not None]
    kept = list(starts)
    for (_, before), (turn, start), (_, after) in zip(known, known[1:], known[2:], strict=False):
        if before <= after and not before <= start <= after:
            kept[turn] = None
    return kept


def _following(starts: Sequence[int | None]) -> list[int | None]:
    """For each turn, the nearest known start after it."""
    following: list[int | None] = []
    nearest: int | None = None
    for start in reversed(starts):
        following.append(nearest)
        nearest = start if start is not None else nearest
    return following[::-1]


def _first_known(start: int | None, otherwise: int) -> int:
    return otherwise if start is None else start


def _between(own: Sequence[Place], first: int, end: int, lower: int, upper: int) -> int:
    """The index of the first place that starts from ``lower`` to ``upper``, else of the one that is nearest to that."""
    index = bisect_left(own, (lower, -1), first, end)
    if index == end:
        return end - 1
    if own[index][0] > upper and index > first and lower - own[index - 1][0] < own[index][0] - upper:
        return index - 1
    return index
