"""Finding the places in a text that an LLM's mentions mean, with exact offsets."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Literal, get_args

from kazu_distill.annotation.grounding.abbreviations import split_abbreviation
from kazu_distill.annotation.grounding.alignment import Listing, align
from kazu_distill.annotation.grounding.candidates import candidates
from kazu_distill.annotation.grounding.finding import Finder, Form, Key, Match
from kazu_distill.annotation.grounding.occurrences import Unmarked, inside_longer, other_places
from kazu_distill.annotation.grounding.tokens import Place, words_of
from kazu_distill.annotation.parsing.answer import Mention
from kazu_distill.errors import ConfigError

Occurrences = Literal["listed", "all", "document"]


class Status(StrEnum):
    """How a mention was found, from the closest; or why it was not."""

    EXACT = "exact"
    CASE = "case"
    NORMALISED = "normalised"
    INFLECTED = "inflected"  # "seizure" is listed, "seizures" stands in the text
    PART = "part"  # without its gloss in brackets, or the gloss without it
    FUZZY = "fuzzy"
    NOT_FOUND = "not_found"
    SURPLUS = "surplus"  # listed more often than it stands in the text


_CLOSENESS = {status: number for number, status in enumerate(Status)}
_SURE_FORMS = (Form.SAME, Form.RECASED)
_SURE_STATUSES = (Status.EXACT, Status.CASE, Status.NORMALISED)
_STATUS_OF_FORM = {Form.INFLECTED: Status.INFLECTED, Form.PART: Status.PART, Form.SIMILAR: Status.FUZZY}


@dataclass(frozen=True, slots=True)
class GroundedSpan:
    """A place in the text, its class and how its mention was found; offsets as in ``Span``."""

    start: int
    end: int
    label: str
    status: Status


@dataclass(frozen=True, slots=True)
class Grounding:
    """The spans in order of their place, the mentions that got none with the reason, and how many mentions there were.

    An abbreviation with its long form counts for the two mentions that it was split into.
    """

    spans: tuple[GroundedSpan, ...]
    missing: tuple[tuple[Mention, Status], ...]
    mentions: int


class Grounder:
    """Grounds the mentions of an answer in the text that the question was about.

    A mention is found at boundaries, in the closest form in which it stands in the text: but for what ``tokens`` does
    not see (case, accents, kinds of hyphens, space, ``alpha`` for ``α``); capitals inside words count where both "CAT"
    and "cat" stand. ``candidates`` and ``alignment`` decide between several places. Linear in text and mentions.

    A mention that says where it stands is there, and nowhere else in the text: what the form of an answer marks in one
    place and not in another it says not to be one there.

    Args:
        occurrences: ``listed``: a listing labels one place. ``all``: the other places of the string get its class too
            (see ``occurrences``). ``document``: the same over all sections, once their spans are given to
            ``over_document``; until then only the places listed are labelled.
        split_abbreviations: take "tumor necrosis factor (TNF)" for two mentions, as annotation guidelines do.
        inflected: what is not found is looked for without the endings of plurals and possessives.
        glosses: of what is not found, the part before the brackets at its end will do, else that in them.
        fuzzy: what is not found then may stand in a form as similar as this, from 0 to 1 (see ``fuzzy``); ``None``:
            it may not. A mention that was found in one of these last three ways labels one place and no other.
    """

    def __init__(
        self,
        *,
        occurrences: Occurrences = "all",
        split_abbreviations: bool = True,
        inflected: bool = False,
        glosses: bool = False,
        fuzzy: float | None = None,
    ) -> None:
        if occurrences not in get_args(Occurrences):
            raise ConfigError(f"grounding.occurrences is {occurrences!r}: choose listed, all or document")
        if fuzzy is not None and not 0 < fuzzy <= 1:
            raise ConfigError(f"grounding.fuzzy is {fuzzy!r}: give a similarity above 0, at most 1, or null for none")
        self.over_documents = occurrences == "document"
        self._over_text = occurrences == "all"
        self._split_abbreviations = split_abbreviations
        self._inflected = inflected
        self._glosses = glosses
        self._fuzzy = fuzzy

    def ground(self, text: str, mentions: Sequence[Mention], *, is_document: bool = False) -> Grounding:
        """Find the places of the mentions.

        Args:
            text: what the mentions were listed from.
            mentions: in the order of the list.
            is_document: the text is all of its document, so that ``over_document`` would find nothing more.
        """
        if self._split_abbreviations:
            mentions = [part for mention in mentions for part in _parts(mention, text)]
        placed = {mention.place for mention in mentions} - {None}
        searched = {mention.text for mention in mentions if mention.place is None}
        matches = self._finder(text).find(searched) if searched else {}
        missing = [(each, Status.NOT_FOUND) for each in mentions if each.place is None and each.text not in matches]
        known = [each for each in mentions if each.place is not None or each.text in matches]
        nested = inside_longer(place for match in matches.values() for place in match.places)
        wanted = candidates(text, [each.text for each in known if each.place is None], matches, nested)
        places = {key: [place for place in own if place not in placed] or own for key, own in wanted.items()}
        spans = _Spans()
        listed: dict[Key, dict[Place, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        for mention, place in zip(known, _aligned(known, matches, places), strict=True):
            if place is None:
                missing.append((mention, Status.SURPLUS))
                continue
            if mention.place is not None:
                spans.add(place, mention.label, _status_in_place(text, place, mention.text))
                continue
            key = matches[mention.text].key
            listed[key][place].setdefault(mention.label, mention.text)
            spans.add(place, mention.label, _status(text, place, mention.text, key[0]))
        if self._over_text or (is_document and self.over_documents):
            sure = {
                match.key: match.places
                for match in matches.values()
                if match.form in _SURE_FORMS and placed.isdisjoint(match.places)
            }
            for key, place, label, surface in other_places(sure, {key: listed[key] for key in sure}, nested):
                spans.add(place, label, _status(text, place, surface, key[0]))
        return Grounding(spans.in_order(), tuple(missing), len(mentions))

    def _finder(self, text: str) -> Finder:
        return Finder(text, inflected=self._inflected, glosses=self._glosses, similarity=self._fuzzy)

    def over_document(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[GroundedSpan]],
        marked: Sequence[Sequence[Place]] | None = None,
    ) -> list[list[GroundedSpan]]:
        """Give the strings that were found in a document their classes at their other places too, across sections.

        Strings are equal but for what ``ground`` does not see. ``occurrences`` says which class a place gets. Linear in
        texts and spans.

        Args:
            texts: of the sections.
            spans: of each section, with offsets into its text.
            marked: of each section, the stretches in which an answer says of every place whether it is a mention, as
                copies with tags do: of a string that has a span there, the other places there get none.

        Returns:
            The spans of each section, those given among them, in order of their place.
        """
        surfaces = {text[span.start : span.end] for text, own in zip(texts, spans, strict=True) for span in own}
        bases = list(accumulate((len(text) + 1 for text in texts), initial=0))  # sections one after the other
        listed: dict[Key, dict[Place, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
        places: dict[Key, list[Place]] = defaultdict(list)
        for base, text, own in zip(bases, texts, spans, strict=False):
            found = Finder(text).find(surfaces)
            for match in {match.key: match for match in found.values() if match.form is Form.SAME}.values():
                places[match.key] += [(base + start, base + end) for start, end in match.places]
            for span in own:
                surface = text[span.start : span.end]
                if span.status in _SURE_STATUSES and surface in found:
                    at = listed[found[surface].key][base + span.start, base + span.end]
                    at.setdefault(span.label, surface)
        nested = inside_longer(place for at in (*places.values(), *listed.values()) for place in at)
        collected = [_Spans(own) for own in spans]
        unmarked = Unmarked(bases, marked or [], listed)
        for key, (start, end), label, surface in other_places(places, listed, nested):
            if unmarked.holds(key, (start, end)):
                continue
            section = bisect_right(bases, start) - 1
            place = (start - bases[section], end - bases[section])
            collected[section].add(place, label, _status(texts[section], place, surface, key[0]))
        return [list(own.in_order()) for own in collected]


class _Spans:
    """Spans by place and class; of two that say the same, the one that was found closer stays."""

    def __init__(self, spans: Iterable[GroundedSpan] = ()) -> None:
        self._spans = {(span.start, -span.end, span.label): span for span in spans}

    def add(self, place: Place, label: str, status: Status) -> None:
        key = (place[0], -place[1], label)
        present = self._spans.get(key)
        if present is None or _CLOSENESS[status] < _CLOSENESS[present.status]:
            self._spans[key] = GroundedSpan(*place, label, status)

    def in_order(self) -> tuple[GroundedSpan, ...]:
        return tuple(self._spans[key] for key in sorted(self._spans))


def _parts(mention: Mention, text: str) -> list[Mention]:
    """A mention, or the two that it is; they are placed if it is."""
    if mention.place is None:
        return [Mention(part, mention.label) for part in split_abbreviation(mention.text)]
    start, end = mention.place
    parts = split_abbreviation(text[start:end])
    if len(parts) == 1:
        return [mention]
    placed = []
    for part in parts:
        start = text.index(part, start, end)
        placed.append(Mention(part, mention.label, start, start + len(part)))
        start += len(part)
    return placed


def _aligned(
    mentions: Sequence[Mention], matches: Mapping[str, Match], places: Mapping[Key, Sequence[Place]]
) -> list[Place | None]:
    """The place of each mention; those that say theirs have no other, and the rest stand between them."""
    numbers = {key: number for number, key in enumerate(places)}
    own: list[Sequence[Place]] = list(places.values())
    listings = []
    for mention in mentions:
        if mention.place is None:
            listings.append(Listing(numbers[matches[mention.text].key], mention.label))
        else:
            listings.append(Listing(len(own), mention.label))
            own.append([mention.place])
    return align(listings, own)


def _status_in_place(text: str, place: Place, mention: str) -> Status:
    surface = text[place[0] : place[1]]
    if surface.lower() == mention.strip().lower() or surface == mention:
        return _status(text, place, mention, Form.SAME)
    one, other = words_of([surface, mention])
    return Status.NORMALISED if one == other else Status.FUZZY


def _status(text: str, place: Place, mention: str, form: Form) -> Status:
    if form in _STATUS_OF_FORM:
        return _STATUS_OF_FORM[form]
    surface = text[place[0] : place[1]]
    if surface == mention or surface == mention.strip():
        return Status.EXACT
    return Status.CASE if surface.lower() == mention.strip().lower() else Status.NORMALISED
