"""Which spans are doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.annotation.votes import ROUNDING
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema

Place = tuple[int, int, str]


class Reason(StrEnum):
    """Why a span is doubtful."""

    INEXACT = "not exactly in the text"
    FEW_VOTES = "few votes"
    CONFUSED = "of a class that is often confused"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A doubtful span of a section, and why it is one."""

    span: Span
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubts:
    """What makes a span doubtful; each of these does.

    Args:
        statuses: its mention was found in one of these ways, by every voter that gave it.
        votes_below: it got a smaller share of the votes, of several voters; 0.67 is as good as two thirds.
        classes: it is of one of these classes.
        near_misses: it is of a class that the schema sets apart from another one (``near_misses``), on either side.

    Raises:
        ConfigError: a status that there is not, or ``votes_below`` is no share.
    """

    statuses: Sequence[str] = ()
    votes_below: float = 0.0
    classes: Sequence[str] = ()
    near_misses: bool = False

    def __post_init__(self) -> None:
        known = [status.value for status in Status if status not in (Status.NOT_FOUND, Status.SURPLUS)]
        for status in self.statuses:
            if status not in known:
                raise ConfigError(f"verify.doubts.statuses: {status} is none; choose of {', '.join(known)}")
        if not 0.0 <= self.votes_below <= 1.0:
            raise ConfigError(f"verify.doubts.votes_below={self.votes_below}: give a share of the votes, 0 to 1")

    def confused(self, schema: Schema) -> frozenset[str]:
        """The classes whose spans are all doubtful.

        Raises:
            ConfigError: one is not in the schema, which has classes.
        """
        if schema.is_open:
            return frozenset(self.classes)
        found = {name: schema.find(name) for name in self.classes}
        unknown = [name for name, entity_class in found.items() if entity_class is None]
        if unknown:
            raise ConfigError(
                f"verify.doubts.classes: {unknown[0]!r} is not in the schema, which has {', '.join(schema.labels)}"
            )
        confused = {entity_class.name for entity_class in found.values() if entity_class}
        if self.near_misses:
            for entity_class in schema.classes:
                others = [schema.find(other) for other, _ in entity_class.near_misses]
                confused |= {other.name for other in others if other}
                confused |= {entity_class.name} if others else set()
        return frozenset(confused)

    def among(
        self, spans: Sequence[Span], statuses: Mapping[Place, Status], *, confused: frozenset[str]
    ) -> Iterator[Doubt]:
        """The doubtful ones of a section's spans, in their order.

        Args:
            spans: with their share of the votes as the score.
            statuses: how each was found, by its place; one that is not there is not doubtful for that.
            confused: the classes whose spans are all doubtful.
        """
        for span in spans:
            status = statuses.get(span.place)
            kinds = (
                (Reason.INEXACT, status is not None and status.value in self.statuses),
                (Reason.FEW_VOTES, span.score < self.votes_below - ROUNDING),
                (Reason.CONFUSED, span.label in confused),
            )
            reasons = tuple(reason for reason, holds in kinds if holds)
            if reasons:
                yield Doubt(span, reasons)


def closest(statuses: Sequence[Mapping[Place, Status]]) -> dict[Place, Status]:
    """How the spans of several voters were found; of two ways the closer one."""
    order = {status: number for number, status in enumerate(Status)}
    found: dict[Place, Status] = {}
    for of_voter in statuses:
        for place, status in of_voter.items():
            found[place] = min(found.get(place, status), status, key=order.__getitem__)
    return found
