"""What the page shows of labels by themselves: their faults, and how far those who made them agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kazu_distill.scoring.label_faults import Conflict, LabelFaults, NotInText, by_classes
from kazu_distill.scoring.voters import Voters, VoterScore

_EXAMPLES = 10
_ROWS = 30


_Fault = TypeVar("_Fault", Conflict, NotInText)


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """Strings that have the same classes in one document: how many, in how many gold says so too, and the frequent.

    The frequent ones are one of them each, with how many there are.
    """

    classes: tuple[str, ...]
    strings: int
    in_gold: int
    frequent: Sequence[tuple[Conflict, int]]


@dataclass(frozen=True, slots=True)
class MissingRow:
    """Mentions of a class that are not in the text, and the frequent among those that documents keep."""

    label: str
    count: int
    frequent: Sequence[tuple[NotInText, int]]


@dataclass(frozen=True, slots=True)
class VoterTables:
    """Voters against gold; and F1 of every two, first over all spans and then by class, a column for each two."""

    scores: Sequence[VoterScore]
    pairs: Sequence[str]
    agreement: Sequence[tuple[str, Sequence[float | None]]]


def conflict_rows(faults: LabelFaults) -> list[ConflictRow]:
    """A row for each set of classes, the most frequent first."""
    return [
        ConflictRow(classes, len(own), sum(each.in_gold for each in own), _frequent(own))
        for classes, own in list(by_classes(faults.conflicts).items())[:_ROWS]
    ]


def missing_rows(faults: LabelFaults) -> list[MissingRow]:
    """A row for each class, the most frequent first."""
    return [
        MissingRow(label, count, _frequent([each for each in faults.examples if each.label == label]))
        for label, count in faults.not_in_text.most_common(_ROWS)
    ]


def _frequent(faults: Iterable[_Fault]) -> list[tuple[_Fault, int]]:
    """The strings that come most often, case aside: the first fault of each, and how many there are."""
    by_string: dict[str, list[_Fault]] = {}
    for fault in faults:
        by_string.setdefault(fault.mention.casefold(), []).append(fault)
    return [(own[0], len(own)) for own in sorted(by_string.values(), key=len, reverse=True)[:_EXAMPLES]]


def voter_tables(voters: Voters) -> VoterTables:
    """The tables of voters; classes that none of them found are left out."""
    labels = [label for label in voters.labels if any(label in pair["f1_per_class"] for pair in voters.agreement)]
    rows = [("all spans", [pair["f1"] for pair in voters.agreement])]
    rows += [(label, [pair["f1_per_class"].get(label) for pair in voters.agreement]) for label in labels]
    return VoterTables(voters.scores, [" and ".join(pair["voters"]) for pair in voters.agreement], rows)
