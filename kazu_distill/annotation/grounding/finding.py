"""The places of an answer's strings in a text, in the closest form in which each stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import TypeVar

from kazu_distill.annotation.grounding.abbreviations import parts_around_brackets
from kazu_distill.annotation.grounding.boundaries import is_boundary, past_accents
from kazu_distill.annotation.grounding.fuzzy import similar_sequences
from kazu_distill.annotation.grounding.inflection import without_endings
from kazu_distill.annotation.grounding.search import find_sequences
from kazu_distill.annotation.grounding.tokens import Place, inner_capitals, tokenise, words_of

Words = tuple[str, ...]
_T = TypeVar("_T")

# "ASA" is not "as a": only strings of this many characters are looked for regardless of where words are divided.
_SHORTEST_GLUED = 6


class Form(IntEnum):
    """The form in which a string stands in the text, from the closest."""

    SAME = 0  # but for what tokens do not see
    RECASED = 1  # with other capitals inside words
    INFLECTED = 2
    PART = 3
    SIMILAR = 4


Key = tuple[Form, Words, str]
"""What strings that mean the same share: the form in which they stand in the text, tokens, capitals inside words."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a string stands: all places of its form, in order. Strings of one ``key`` mean the same."""

    key: Key
    places: tuple[Place, ...]

    @property
    def form(self) -> Form:
        """The form of the string."""
        return self.key[0]


class Finder:
    """Finds strings in one text, at boundaries only.

    Args:
        text: where to look.
        inflected: also without the endings of plurals and possessives.
        glosses: also what stands before or in the brackets of a string.
        similarity: also what is as similar as this, from 0 to 1; ``None``: not.
    """

    def __init__(
        self, text: str, *, inflected: bool = False, glosses: bool = False, similarity: float | None = None
    ) -> None:
        self._text = text
        self._tokens = tokenise(text)
        self._inflected = inflected
        self._glosses = glosses
        self._similarity = similarity
        self._capitals: dict[str, str] = {}

    def find(self, strings: Iterable[str]) -> dict[str, Match]:
        """The match of each string that has one."""
        listed = list(dict.fromkeys(strings))
        words = dict(zip(listed, words_of(listed), strict=True))
        parts = {string: parts_around_brackets(string) for string in words} if self._glosses else {}
        names = list({name for own in parts.values() for name in own})
        words_of_names = dict(zip(names, words_of(names), strict=True))
        needles = {*words.values(), *words_of_names.values()}
        places = {
            needle: self._places(ranges) for needle, ranges in find_sequences(self._tokens.words, needles).items()
        }
        matches = {string: self._same(string, own, places[own]) for string, own in words.items() if places.get(own)}
        self._add(matches, self._glued(_without(words, matches)), words, Form.SAME)
        if self._inflected:
            self._add(matches, self._without_endings(_without(words, matches)), words, Form.INFLECTED)
        for string in _without(parts, matches):
            name = next((name for name in parts[string] if places.get(words_of_names[name])), None)
            if name is not None:
                own = words_of_names[name]
                matches[string] = self._same(name, own, places[own], form=Form.PART)
        if self._similarity is not None:
            similar = similar_sequences(self._tokens.words, _without(words, matches), self._similarity)
            self._add(
                matches, {string: self._places(ranges) for string, ranges in similar.items()}, words, Form.SIMILAR
            )
        return matches

    def _same(self, string: str, words: Words, places: Sequence[Place], form: Form = Form.SAME) -> Match:
        """The places with the capitals that the string has, else all."""
        capitals = inner_capitals(string)
        alike = tuple(place for place in places if self._capitals_at(place) == capitals)
        if form is Form.SAME and not alike:
            form = Form.RECASED
        return Match((form, words, capitals), alike or tuple(places))

    def _add(
        self, matches: dict[str, Match], found: Mapping[str, Sequence[Place]], words: Mapping[str, Words], form: Form
    ) -> None:
        for string, places in found.items():
            if places:
                matches[string] = self._same(string, words[string], places, form)

    def _places(self, ranges: Iterable[tuple[int, int]]) -> list[Place]:
        """The places of ranges of tokens, of those that begin and end at boundaries."""
        text, place_of = self._text, self._tokens.place
        places: list[Place] = []
        for first, last in ranges:
            place = place_of(first, last)
            if place is None:
                continue
            start, end = place[0], past_accents(text, place[1])
            if is_boundary(text, start) and is_boundary(text, end):
                places.append((start, end))
        return places

    def _capitals_at(self, place: Place) -> str:
        surface = self._text[place[0] : place[1]]
        if surface not in self._capitals:
            self._capitals[surface] = inner_capitals(surface)
        return self._capitals[surface]

    def _glued(self, words: Mapping[str, Words]) -> dict[str, list[Place]]:
        """Places where words are divided in another way, as in "antiinflammatory" and "anti-inflammatory"."""
        glued = {string: _glue(own) for string, own in words.items()}
        wanted = {string: own for string, own in glued.items() if len("".join(own)) >= _SHORTEST_GLUED}
        if not wanted:
            return {}
        pieces = _glue(self._tokens.words)
        offsets = list(accumulate(map(len, pieces), initial=0))
        found = find_sequences("".join(pieces), ("".join(own) for own in wanted.values()))
        places: dict[str, list[Place]] = {}
        for string, own in wanted.items():
            ranges = (
                (bisect_left(offsets, first), bisect_left(offsets, last + 1) - 1, first, last)
                for first, last in found.get(tuple("".join(own)), ())
            )
            whole = [(i, j) for i, j, first, last in ranges if offsets[i] == first and offsets[j + 1] == last + 1]
            places[string] = self._places(whole)
        return places

    def _without_endings(self, words: Mapping[str, Words]) -> dict[str, list[Place]]:
        if not words:
            return {}
        stems, indexes = without_endings(self._tokens.words)
        wanted = {string: tuple(without_endings(own)[0]) for string, own in words.items()}
        found = find_sequences(stems, wanted.values())
        places: dict[str, list[Place]] = {}
        for string, own in wanted.items():
            ranges = [(indexes[first], indexes[last]) for first, last in found.get(own, ())]
            capitals = inner_capitals(string)  # "AIDS" is no plural of "aid"
            places[string] = [place for place in self._places(ranges) if self._capitals_at(place) == capitals]
        return places


def _without(words: Mapping[str, _T], matches: Mapping[str, Match]) -> dict[str, _T]:
    return {string: own for string, own in words.items() if string not in matches}


def _glue(words: Sequence[str]) -> list[str]:
    """Tokens of which the joined string does not show where words end; but 1 and 2 do not make 12."""
    return [
        f" {word}" if number and word.isdigit() and words[number - 1].isdigit() else word
        for number, word in enumerate(words)
    ]
