"""Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of Multi-Label Data").

Our own implementation, with two changes: what is put into a part is a group of documents that belong together, and a
part takes no more documents than it has room for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that stay together: how many there are, and how many of them have each class."""

    documents: int
    classes: Mapping[str, int]


def stratify(groups: Sequence[Group], sizes: Mapping[str, int]) -> list[str]:
    """Give each group a part, so that each class is spread over the parts as the documents are.

    Rare classes come first, while there is room everywhere. A class that as many groups have as there are parts is
    wanted at least once in each. Groups of several documents come before single documents, which then fill the parts
    exactly; a part exceeds its size, by less than a group, only where a group finds no room at all.

    Args:
        groups: in the order in which equals are taken; shuffle them for a random split.
        sizes: documents wanted in each part; together as many as the groups have.

    Returns:
        The part of each group.
    """
    room = dict(sizes)
    wanted = _wanted(groups, sizes)
    chosen: dict[int, str] = {}
    several = [number for number, group in enumerate(groups) if group.documents > 1]
    single = [number for number, group in enumerate(groups) if group.documents == 1]
    for kind in (several, single):
        for number, label in _rarest_first(groups, kind):
            group = groups[number]
            chosen[number] = part = _neediest(group, label, room, wanted)
            room[part] -= group.documents
            for name, count in group.classes.items():
                wanted[part][name] -= count
    return [chosen[number] for number in range(len(groups))]


def _wanted(groups: Sequence[Group], sizes: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """How many documents of each class each part should have: by its size, and at least 1 where that is possible."""
    total = sum(sizes.values())
    largest = max(sizes, key=lambda part: sizes[part])
    documents_with: Counter[str] = Counter()
    groups_with: Counter[str] = Counter()
    for group in groups:
        documents_with.update(group.classes)
        groups_with.update(group.classes.keys())
    wanted: dict[str, dict[str, float]] = {part: {} for part in sizes}
    for label, count in documents_with.items():
        least = 1.0 if groups_with[label] >= len(sizes) else 0.0
        shares = {part: max(least, count * size / total) for part, size in sizes.items()}
        # What small parts get above their share, the largest part gives.
        shares[largest] -= sum(shares.values()) - count
        for part, share in shares.items():
            wanted[part][label] = share
    return wanted


def _rarest_first(groups: Sequence[Group], numbers: Sequence[int]) -> list[tuple[int, str | None]]:
    """Groups with the class they are placed for: the class that fewest of the groups left have; None without any."""
    with_label: dict[str, dict[int, None]] = {}
    for number in numbers:
        for label in groups[number].classes:
            with_label.setdefault(label, {})[number] = None
    order: list[tuple[int, str | None]] = []
    while with_label:
        rarest = min(with_label, key=lambda label: (len(with_label[label]), label))
        for number in with_label.pop(rarest):
            order.append((number, rarest))
            for label in groups[number].classes:
                if label != rarest and label in with_label:
                    del with_label[label][number]
        with_label = {label: left for label, left in with_label.items() if left}
    return order + [(number, None) for number in numbers if not groups[number].classes]


def _neediest(
    group: Group, label: str | None, room: Mapping[str, int], wanted: Mapping[str, Mapping[str, float]]
) -> str:
    """The part with room that wants the class most, then the one with most room."""
    fitting = [part for part in room if room[part] >= group.documents]
    if not fitting:
        return max(room, key=lambda part: room[part])
    if label is None:
        return max(fitting, key=lambda part: room[part])
    return max(fitting, key=lambda part: (wanted[part][label], room[part]))
