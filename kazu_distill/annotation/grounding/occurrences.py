"""The other places of the strings that have been found at some."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from kazu_distill.annotation.grounding.finding import Key
from kazu_distill.annotation.grounding.tokens import Place

Listed = Mapping[Place, Mapping[str, str]]
"""Where a string is listed: for each place its classes, and for each of these the mention."""


def inside_longer(places: Iterable[Place]) -> set[Place]:
    """Those of the places that lie inside another, longer one."""
    inside: set[Place] = set()
    furthest = -1
    ordered = sorted(set(places))
    for place, following in zip_longest(ordered, ordered[1:], fillvalue=(-1, -1)):
        if place[1] <= furthest or place[0] == following[0]:  # of those with one start the longest comes last
            inside.add(place)
        furthest = max(furthest, place[1])
    return inside


def other_places(
    places: Mapping[Key, Sequence[Place]], listed: Mapping[Key, Listed], nested: Collection[Place]
) -> Iterator[tuple[Key, Place, str, str]]:
    """The places that no listing has, with the class and the mention they get from the listings of their string.

    A place gets the class that most listings of the string have; of classes that have as many, those of the nearest
    place. A place inside a longer one of the class is a part of that mention and gets none; inside one of another class
    ("heparin" in "heparin-induced thrombocytopenia") it does.

    Args:
        places: of each string, all, in order.
        listed: those that are listed, and how.
        nested: those that are inside a longer place.
    """
    others = [
        (key, place, label, mention)
        for key, at in listed.items()
        for place, mentions in _from_nearest([place for place in places[key] if place not in at], _most_listed(at))
        for label, mention in mentions.items()
    ]
    if not any(place in nested for _, place, _, _ in others):
        return iter(others)
    of_class: dict[str, set[Place]] = defaultdict(set)
    for _, place, label, _ in others:
        of_class[label].add(place)
    for at in listed.values():
        for place, mentions in at.items():
            for label in mentions:
                of_class[label].add(place)
    parts = {label: inside_longer(own) for label, own in of_class.items()}
    return (other for other in others if other[1] not in parts[other[2]])


class Unmarked:
    """The places of which an answer says, by not marking them, that they are no mention.

    Args:
        bases: where each section begins when they stand one after the other.
        marked: of each section, the stretches in which answers mark every mention.
        listed: the places that are labelled, of each string.
    """

    def __init__(self, bases: Sequence[int], marked: Sequence[Sequence[Place]], listed: Mapping[Key, Listed]) -> None:
        self._stretches: list[Place] = []
        shifted = sorted(
            (base + start, base + end) for base, own in zip(bases, marked, strict=False) for start, end in own
        )
        for start, end in shifted:  # those that overlap, as when one question of several was asked in halves, as one
            if self._stretches and start < self._stretches[-1][1]:
                self._stretches[-1] = (self._stretches[-1][0], max(end, self._stretches[-1][1]))
            else:
                self._stretches.append((start, end))
        self._marked = {
            (key, stretch)
            for key, at in listed.items()
            for place in at
            if self._stretches and (stretch := self._stretch(place)) is not None
        }

    def holds(self, key: Key, place: Place) -> bool:
        """Whether that place of a string is one."""
        return bool(self._marked) and (key, self._stretch(place)) in self._marked

    def _stretch(self, place: Place) -> int | None:
        """The number of the stretch that a place is in."""
        number = bisect_right(self._stretches, place[0], key=lambda stretch: stretch[0]) - 1
        return number if number >= 0 and place[1] <= self._stretches[number][1] else None


def _most_listed(at: Listed) -> Listed:
    """The listings without the classes that others outnumber."""
    counts = Counter(label for mentions in at.values() for label in mentions)
    if len(counts) <= 1:
        return at
    most = max(counts.values())
    kept = {
        place: {label: mention for label, mention in mentions.items() if counts[label] == most}
        for place, mentions in at.items()
    }
    return {place: mentions for place, mentions in kept.items() if mentions}


def _from_nearest(places: Collection[Place], listed: Listed) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """For each place, all in order, what the nearest listed place has; of two the earlier."""
    stations = sorted(listed)
    nearest = 0
    for place in places:
        while nearest + 1 < len(stations) and _distance(stations[nearest + 1], place) < _distance(
            stations[nearest], place
        ):
            nearest += 1
        yield place, listed[stations[nearest]]


def _distance(one: Place, other: Place) -> int:
    return abs(one[0] - other[0])
