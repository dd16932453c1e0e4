"""Which of its places the listings of a string can mean."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from kazu_distill.annotation.grounding.finding import Key, Match
from kazu_distill.annotation.grounding.tokens import Place

_INITIAL = re.compile(r"\b[^\W\d_]")


def candidates(
    text: str, mentions: Sequence[str], matches: Mapping[str, Match], nested: Collection[Place]
) -> dict[Key, Sequence[Place]]:
    """Of the places of each string the closest ones of which there are enough for its listings.

    First those that are written as a mention is, but for the case of initials: "IL-2" rather than "IL2". Then those
    that are neither inside a longer mention (``nested``) nor another string's that is closer to them. Then all.
    """
    by_key = {match.key: match for match in matches.values()}
    free = _free_places(by_key.values(), nested)
    counts = Counter(matches[mention].key for mention in mentions)
    surfaces: dict[Key, set[str]] = defaultdict(set)
    for mention in set(mentions):
        surfaces[matches[mention].key].add(_initials_lowered(mention.strip()))
    enough: dict[Key, Sequence[Place]] = {}
    for key, match in by_key.items():
        own = free[key]
        if len(own) > counts[key]:
            written = [text[start:end] for start, end in own]
            as_listed = {surface for surface in set(written) if _initials_lowered(surface) in surfaces[key]}
            closest = [place for place, surface in zip(own, written, strict=True) if surface in as_listed]
            enough[key] = closest if len(closest) >= counts[key] else own
        else:
            enough[key] = own if len(own) == counts[key] else match.places
    return enough


def _free_places(matches: Iterable[Match], nested: Collection[Place]) -> dict[Key, list[Place]]:
    in_order = sorted(matches, key=lambda match: match.form)
    taken = set(nested)
    free: dict[Key, list[Place]] = {}
    for _, group in groupby(in_order, key=lambda match: match.form):
        of_form = list(group)
        for match in of_form:
            free[match.key] = [place for place in match.places if place not in taken]
        taken.update(place for match in of_form for place in match.places)
    return free


def _initials_lowered(text: str) -> str:
    return _INITIAL.sub(lambda initial: initial[0].lower(), text)
