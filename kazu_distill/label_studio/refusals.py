"""Which spans Label Studio would not take, or did not keep, and why: it may drop them and answer that all is well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from label_studio_sdk.label_interface.interface import LabelInterface

from kazu_distill.documents import Document, Section, Span
from kazu_distill.excerpts import beginning
from kazu_distill.label_studio.tasks import prediction_of

_MOST_NAMED = 3
_LONGEST_MENTION = 40
_REGION = re.compile(r"Region (\d+): ")


@dataclass(frozen=True, slots=True)
class Place:
    """A section of a document; ``number`` counts from 0."""

    document: Document
    number: int

    @property
    def section(self) -> Section:
        return self.document.sections[self.number]

    def __str__(self) -> str:
        return f'document "{self.document.id}", section {self.number} ("{self.section.name}")'


def places_of(documents: Iterable[Document]) -> Iterator[Place]:
    """Every section of every document."""
    return (Place(document, number) for document in documents for number in range(len(document.sections)))


def unknown_classes(place: Place, classes: set[str]) -> list[str]:
    """The spans whose class is none of the labelling view's, as text."""
    return [
        f"{place}: {_named(place.section, span)}: the view has no such class"
        for span in place.section.spans
        if span.label not in classes
    ]


def refused(places: Sequence[Place], view: str) -> list[str]:
    """The spans that the SDK, which has the server's own rules, finds wrong with a view, as text.

    Where it finds nothing wrong, the sections themselves.
    """
    interface = LabelInterface(view)
    found = [
        f"{place}: {_reason(place.section, error)}" for place in places for error in _errors(interface, place.section)
    ]
    return found or [f"{place} ({len(place.section.spans)} spans)" for place in places]


def listed(found: Sequence[str]) -> str:
    """The first of them in one line, and how many more there are."""
    first = [" ".join(each.split()) for each in found[:_MOST_NAMED]]
    more = len(found) - len(first)
    return "; ".join([*first, f"and {more} more"] if more else first)


def _errors(interface: LabelInterface, section: Section) -> list[str]:
    prediction = prediction_of(section, model_version="checked")
    errors: list[str] = interface.validate_prediction(prediction, return_errors=True)  # type: ignore[no-untyped-call]
    return errors


def _reason(section: Section, error: str) -> str:
    region = _REGION.match(error)
    if not region:
        return error
    return f"{_named(section, section.spans[int(region[1])])}: {error[region.end() :].partition(' Got: ')[0]}"


def _named(section: Section, span: Span) -> str:
    shown = beginning(section.mention(span), _LONGEST_MENTION)
    return f'span {span.start}–{span.end} "{shown}" of class "{span.label}"'
