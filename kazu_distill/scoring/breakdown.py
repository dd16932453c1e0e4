"""Where predictions fail: strict counts of entities that have something in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.metrics import figures_of
from kazu_distill.scoring.pairs import Pair

_LENGTHS = ((1, "1 word"), (2, "2 words"), (3, "3 words"), (5, "4 to 5 words"))
_LONGER = "6 words or more"


@dataclass(frozen=True, slots=True)
class Place:
    """An entity with where it stands: among gold ones if it is one, else among predicted ones."""

    document: Document
    section: Section
    span: Span


Grouping = Callable[[Place], str | None]
"""The group of an entity; None leaves it out. A right prediction and its gold entity must be of one group."""


@dataclass(frozen=True, slots=True)
class KnownMentions:
    """What was labelled in training: the classes of each mention, case aside."""

    classes: Mapping[str, set[str]] = field(default_factory=dict)

    def group(self, place: Place) -> str:
        """Whether the mention was seen, and with this class."""
        known = self.classes.get(place.section.mention(place.span).casefold())
        if known is None:
            return "not seen in training"
        return "seen with this class" if place.span.label in known else "seen with other classes only"


def known_mentions(training: Iterable[Document]) -> KnownMentions:
    """The mentions of training documents."""
    classes: dict[str, set[str]] = {}
    for document in training:
        for section, span in document.spans:
            classes.setdefault(section.mention(span).casefold(), set()).add(span.label)
    return KnownMentions(classes)


def groupings(known: KnownMentions | None = None) -> dict[str, Grouping]:
    """The ways to tell entities apart, by name; that of training only where that is known."""
    return {
        "mention length": _length,
        **({"mention in training": known.group} if known else {}),
        "overlap": _overlap,
        "section": lambda place: place.section.name or None,
        "source": _source,
    }


def breakdown(pairs: Sequence[Pair], by: Mapping[str, Grouping]) -> dict[str, dict[str, Counts]]:
    """For each grouping, for each of its groups, the strict counts of all classes together.

    Groups come in the order of their names; a grouping that makes fewer than two is left out.
    """
    found: dict[str, dict[str, Counts]] = {name: {} for name in by}
    for gold, predicted in pairs:
        for own, its in zip(gold.sections, predicted.sections, strict=True):
            wanted = {span.place: span for span in own.spans}
            given = {span.place: span for span in its.spans}
            for key, span in (wanted | given).items():
                counts = Counts(key in wanted and key in given, key not in wanted, key not in given)
                for name, group_of in by.items():
                    group = group_of(Place(gold, own if key in wanted else its, span))
                    if group is not None:
                        found[name][group] = found[name].get(group, Counts()) + counts
    return {name: dict(sorted(groups.items())) for name, groups in found.items() if len(groups) > 1}


def breakdown_json(groups: Mapping[str, Mapping[str, Counts]]) -> dict[str, Any]:
    """The figures of each group, under ``breakdown``."""
    return {
        "breakdown": {
            name: {
                group: figures_of(counts) | {"gold": counts.gold, "predicted": counts.predicted}
                for group, counts in own.items()
            }
            for name, own in groups.items()
        }
    }


def _length(place: Place) -> str:
    words = len(place.section.mention(place.span).split())
    return next((name for most, name in _LENGTHS if words <= most), _LONGER)


def _overlap(place: Place) -> str:
    """By the other entities of its own side: a prediction with wrong edges overlaps gold, but is not nested in it."""
    own = place.span
    touching = any(
        other.start < own.end and own.start < other.end and other.place != own.place for other in place.section.spans
    )
    return "nested or crossing" if touching else "standing alone"


def _source(place: Place) -> str | None:
    source = place.document.metadata.get("source")
    return source if isinstance(source, str) else None
