"""Finding the places in a text that an LLM's mentions mean, with exact offsets."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kazu_distill.annotation.folding import INVISIBLE, Folded, fold, without_separators
from kazu_distill.annotation.parsing import Mention
from kazu_distill.errors import ConfigError

Place = tuple[int, int]
Occurrences = Literal["listed", "all"]


class Status(StrEnum):
    """How a mention was found."""

    EXACT = "exact"
    CASE = "case"
    NORMALISED = "normalised"
    NOT_FOUND = "not_found"
    SURPLUS = "surplus"  # listed more often than it stands in the text


@dataclass(frozen=True, slots=True)
class GroundedSpan:
    """A place in the text, its class and how its mention was found; offsets as in ``Span``."""

    start: int
    end: int
    label: str
    status: Status


@dataclass(frozen=True, slots=True)
class Grounding:
    """The spans in order of their place, and the mentions that got none with the reason."""

    spans: tuple[GroundedSpan, ...]
    missing: tuple[tuple[Mention, Status], ...]


class Grounder:
    """Grounds the mentions of an answer in the text that the question was about.

    Mentions of one string are grounded together; strings that differ in the case of letters inside words ("CAT", "cat")
    are two. The k-th listing gets the k-th place of the string in the text, so that one string can have two classes at
    two places; where a string is listed more often than it stands in the text, each class counts its listings for
    itself, so that two classes can share a place. A place inside that of a longer mention is taken only when no other
    is left.

    Args:
        occurrences: ``listed``: a listing labels one place. ``all``: the places that are left over get the class of
            the nearest listed place of the same string, unless they lie inside a longer mention.
        split_abbreviations: take "tumor necrosis factor (TNF)" for two mentions, as annotation guidelines do.
    """

    def __init__(self, *, occurrences: Occurrences = "all", split_abbreviations: bool = True) -> None:
        if occurrences not in ("listed", "all"):
            raise ConfigError(f"grounding.occurrences is {occurrences!r}: choose listed or all")
        self._all = occurrences == "all"
        self._split_abbreviations = split_abbreviations

    def ground(self, text: str, mentions: Sequence[Mention]) -> Grounding:
        """Find the places of the mentions. Every span's ``text[start:end]`` is its mention, but for what folding does.

        Mentions are compared as they stand, then without case, then without the differences that ``folding`` removes.
        """
        if self._split_abbreviations:
            mentions = [part for mention in mentions for part in split_abbreviation(mention)]
        finder = _Finder(text)
        groups: dict[str, list[Mention]] = defaultdict(list)
        for mention in mentions:
            groups[_case_pattern(mention.text.strip())].append(mention)
        claimed: set[Place] = set()
        reach = [0] * len(text)  # the furthest end of a longer mention's place that covers this character
        spans: dict[tuple[int, int, str], GroundedSpan] = {}
        missing: list[tuple[Mention, Status]] = []
        # Longer mentions first; of those that differ in case only, first the ones that stand in the text as they are.
        for group in sorted(groups.values(), key=lambda group: (-len(group[0].text), not finder.has_exactly(group))):
            places = sorted(
                {place for surface in {mention.text for mention in group} for place in finder.find(surface)}
            )
            free = [place for place in places if reach[place[0]] < place[1] and place not in claimed]
            wanted = free if len(free) >= len(group) else places
            taken, surplus = _assign(group, wanted)
            missing += [(mention, Status.SURPLUS if places else Status.NOT_FOUND) for mention in surplus]
            if self._all:
                _spread(taken, free)
            claimed |= taken.keys()
            for place, labels in taken.items():
                status = _status(text[place[0] : place[1]], group)
                for label in labels:
                    spans[(*place, label)] = GroundedSpan(*place, label, status)
                for index in range(*place):
                    reach[index] = max(reach[index], place[1])
        ordered = sorted(spans.values(), key=lambda span: (span.start, -span.end, span.label))
        return Grounding(tuple(ordered), tuple(missing))


class _Finder:
    """Finds the places of a string in one text; the folded forms of the text are made when first needed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._simple: Folded | None = None
        self._joined: Folded | None = None

    def find(self, surface: str) -> list[Place]:
        """The places of the closest form in which the string stands in the text at token boundaries."""
        surface = surface.strip()
        folded = fold(surface)
        simple = self._bounded(self._folded().find(folded.text.strip()))
        exact = [place for place in simple if self._slice(place) == surface]
        if exact:
            # "Pain" at the head of a sentence is "pain"; but "CAT" is not "cat".
            pattern = _case_pattern(surface)
            return [place for place in simple if _case_pattern(self._slice(place)) == pattern]
        if simple:
            return simple
        return self._bounded(self._without_separators().find(without_separators(folded).text.strip()))

    def has_exactly(self, group: Sequence[Mention]) -> bool:
        """Whether one of the mentions stands in the text as it is."""
        return any(mention.text.strip() in self._text for mention in group)

    def _folded(self) -> Folded:
        if self._simple is None:
            self._simple = fold(self._text)
        return self._simple

    def _without_separators(self) -> Folded:
        if self._joined is None:
            self._joined = without_separators(self._folded())
        return self._joined

    def _slice(self, place: Place) -> str:
        return self._text[place[0] : place[1]]

    def _bounded(self, places: Iterable[Place]) -> list[Place]:
        return [
            (start, end) for start, end in places if is_boundary(self._text, start) and is_boundary(self._text, end)
        ]


def is_boundary(text: str, index: int) -> bool:
    """Whether a mention may begin or end between characters ``index - 1`` and ``index``.

    Not inside a word, nor before a combining mark. Scripts without spaces between words (Chinese, Japanese, Thai …)
    have a boundary at every character.
    """
    if index in (0, len(text)):
        return True
    if unicodedata.category(text[index])[0] == "M":  # accents, vowel signs of Indic scripts, variation selectors
        return False
    before = next((mark for mark in reversed(text[max(0, index - 16) : index]) if not _is_attached(mark)), " ")
    after = next((mark for mark in text[index : index + 16] if not _is_attached(mark)), " ")
    return not (_in_word(before) and _in_word(after))


def _is_attached(character: str) -> bool:
    return character in INVISIBLE or unicodedata.category(character)[0] == "M"


def split_abbreviation(mention: Mention) -> list[Mention]:
    """Two mentions for "long form (SF)" where SF abbreviates the long form, else the mention itself.

    SF abbreviates it when its letters and digits stand in the long form in that order, the first at a word's head,
    after A. Schwartz and M. Hearst, "A simple algorithm for identifying abbreviation definitions", PSB 2003.
    """
    match = _DEFINITION.fullmatch(mention.text)
    if match is None or not _abbreviates(match["short"], match["long"]):
        return [mention]
    return [Mention(match["long"].strip(), mention.label), Mention(match["short"], mention.label)]


_DEFINITION = re.compile(r"(?P<long>[^()]{4,}\S)\s*\((?P<short>[^\s()]{2,10})\)")
_INITIAL = re.compile(r"\b\w")


def _abbreviates(short: str, long: str) -> bool:
    wanted = [character for character in short.casefold() if character.isalnum()]
    if not wanted or len(short) >= len(long):
        return False
    # From right to left, as in the paper: each character as far right as can be, the first at the head of a word.
    position = len(long)
    folded = long.casefold()
    for index, character in reversed(list(enumerate(wanted))):
        position = folded.rfind(character, 0, position)
        while index == 0 and position > 0 and folded[position - 1].isalnum():
            position = folded.rfind(character, 0, position)
        if position < 0:
            return False
    return True


def _assign(group: Sequence[Mention], places: Sequence[Place]) -> tuple[dict[Place, set[str]], list[Mention]]:
    """Give each listing its place; the listings that are left over come second."""
    taken: dict[Place, set[str]] = defaultdict(set)
    surplus: list[Mention] = []
    listed_before: dict[str, int] = defaultdict(int)
    for number, mention in enumerate(group):
        turn = number if len(group) <= len(places) else listed_before[mention.label]
        listed_before[mention.label] += 1
        if turn < len(places):
            taken[places[turn]].add(mention.label)
        else:
            surplus.append(mention)
    return taken, surplus


def _spread(taken: dict[Place, set[str]], free: Sequence[Place]) -> None:
    """Give every free place that was not listed the classes of the nearest listed one, of two the earlier."""
    listed = dict(taken)
    if not listed:
        return
    for place in free:
        if place not in listed:
            nearest = min(listed, key=lambda other: (abs(other[0] - place[0]), other[0]))
            taken[place] |= listed[nearest]


def _status(found: str, group: Sequence[Mention]) -> Status:
    surfaces = {mention.text.strip() for mention in group}
    if found in surfaces:
        return Status.EXACT
    if found.lower() in {surface.lower() for surface in surfaces}:
        return Status.CASE
    return Status.NORMALISED


def _case_pattern(text: str) -> str:
    """What of a string is left when it is folded but for the case of letters inside words."""
    return _INITIAL.sub(lambda match: match[0].lower(), fold(text, case=False).text)


def _in_word(character: str) -> bool:
    return character.isalnum() and not _writes_without_spaces(character)


def _writes_without_spaces(character: str) -> bool:
    return character > "\u0dff" and unicodedata.category(character) == "Lo" and _UNSPACED.match(character) is not None


# Thai, Lao, Burmese, Khmer; Japanese kana; Chinese characters with their extensions.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
