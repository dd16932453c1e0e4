"""Reading an LLM's answer: whatever of it is well formed is kept, the rest is counted by kind."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kazu_distill.annotation.parsing.lenient_json import Array, Object, Value, excerpt, read_json
from kazu_distill.annotation.parsing.shapes import CLASS, ENTITIES, MATCH, Found, Listing, find_listings
from kazu_distill.schema import Schema, fold_type


@dataclass(frozen=True, slots=True)
class Mention:
    """A string that the LLM says is in the text, and the schema's class for it, or the LLM's if the schema is open.

    ``start`` and ``end`` are where it stands, in code points, if the form of the answer says so, though it may be
    written a little differently there; else it is to be searched for.
    """

    text: str
    label: str
    start: int | None = None
    end: int | None = None

    @property
    def place(self) -> tuple[int, int] | None:
        """Where it stands, if the form of the answer says so."""
        return None if self.start is None or self.end is None else (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in an answer that could not be used, or had to be mended: its kind, and what it was."""

    kind: str
    example: str


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """The mentions of an answer in its order, its faults, and why mentions may be missing.

    ``damage`` is None where all that the answer lists was read, even if it was not written as it was asked for, or
    names classes that the schema has not. Else it is a sentence's main part that says to the LLM what is broken.
    """

    mentions: tuple[Mention, ...]
    faults: tuple[Fault, ...] = ()
    damage: str | None = None


class UnreadableAnswer(ValueError):
    """Nothing of the answer can be read as a list of mentions; the message says to the LLM why."""


def parse_answer(text: str, schema: Schema) -> ParsedAnswer:
    """Read the mentions out of an answer.

    The answer should be a JSON object with a list ``entities``; ``find_listings`` says in which other shapes mentions
    are read, ``read_json`` what is made of broken JSON. Of several JSON values in the text the first with mentions
    counts. Objects that each stand for one mention are read as one list, so that those after a break in a list are
    not lost. Where there are no mentions, an empty list is an answer. What a model writes while it thinks, up to
    ``</think>``, is not part of its answer.

    Where free types were asked for, no string is known for a class beforehand; so only shapes that name their parts are
    read, and an answer is as readable with a schema of its types as with one that is open.

    Raises:
        UnreadableAnswer: there is neither a list nor a single whole mention.
    """
    as_asked = _exactly_as_asked(text, schema)
    if as_asked is not None:
        return ParsedAnswer(as_asked)
    answer = answer_itself(text, begins=_JSON_BEGINS)
    classes = _ClassNames(schema)
    values = read_json(_decoded(answer))
    found = [find_listings(value, classes.knows) for value in values]
    for number, first in enumerate(found):
        if first and first.listings:
            return _read(first, [each for each in found[number + 1 :] if each], values[number:], classes)
    empty = next((each for each in found if each and not each.node.damage), None)
    if empty is not None:
        return ParsedAnswer((), tuple(_mended(empty.node)))
    raise UnreadableAnswer(_why_unreadable(answer, values))


def _exactly_as_asked(text: str, schema: Schema) -> tuple[Mention, ...] | None:
    """The mentions of an answer in which nothing is out of the ordinary, as most are; None for any other."""
    try:
        entities = json.loads(text)[ENTITIES]
        mentions = tuple(Mention(entity[MATCH], entity[CLASS]) for entity in entities if len(entity) == 2)
        labels = schema.names
        ordinary = len(mentions) == len(entities) and all(
            mention.label in labels and mention.text.strip() and mention.text.encode() for mention in mentions
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return mentions if ordinary and isinstance(entities, list) else None


def _read(first: Found, later: Sequence[Found], values: Sequence[Array | Object], classes: _ClassNames) -> ParsedAnswer:
    """The mentions of the first value that has any, and of those single ones after it that belong to it."""
    damage = first.node.damage
    joined = first.single or damage is not None
    used = [first, *(each for each in later if each.single and joined)]
    left_out = [each for each in later if each.listings and not (each.single and joined)]
    if first.single:
        damage = next((value.damage for value in values if value.damage), None)
    if left_out and damage is None:
        begins = left_out[0].listings[0].text or ""
        damage = f"there is more than one list, of which only the first counts; another begins with: {begins:.80}"
    outcomes = [classes.mention(listing) for each in used for listing in each.listings]
    faults = [Fault("damaged JSON", well_formed(damage))] if damage else []
    faults += _mended(*(each.node for each in used), outside_a_list=first.single)
    faults += [outcome for outcome in outcomes if isinstance(outcome, Fault)]
    mentions = tuple(outcome for outcome in outcomes if isinstance(outcome, Mention))
    return ParsedAnswer(mentions, tuple(faults), well_formed(damage) if damage else None)


class _ClassNames:
    """The schema's classes by the names that LLMs give them: case, spaces, hyphens and underscores do not count."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._ignored = {_fold(name) for name in schema.ignored}
        self._by_folded: dict[str, str | None] = {}
        for label in schema.names:
            self._by_folded[_fold(label)] = None if _fold(label) in self._by_folded else label

    def knows(self, name: str) -> bool:
        if self._schema.ask_for == "types":
            return False
        return self._find(name) is not None or self._ignores(name)

    def mention(self, listing: Listing) -> Mention | Fault:
        """A mention, or what keeps a listing from being one."""
        if listing.text is None or not listing.text.strip():
            kind = f"no {MATCH}" if isinstance(listing.source, Object) else "not an object"
            return Fault(kind, f"{_plain(listing.source)!r:.80}")
        if listing.label is None or not listing.label.strip():
            return Fault(f"no {CLASS}", f"{_plain(listing.source)!r:.80}")
        name = _free_type(listing.label) if self._schema.ask_for == "types" else listing.label
        label = name if name is None or self._schema.is_open else self._find(name)
        if label is not None:
            return Mention(well_formed(listing.text), label)
        if name is None:
            kind = "not a type"
        else:
            kind = "class ignored by the schema" if self._ignores(name) else "class not in the schema"
        return Fault(kind, well_formed(f"{listing.text:.80} ({listing.label:.80})"))

    def _find(self, name: str) -> str | None:
        entity_class = self._schema.of_type(name)
        return entity_class.name if entity_class else self._by_folded.get(_fold(name))

    def _ignores(self, name: str) -> bool:
        return self._schema.ignores(name) or _fold(name) in self._ignored


def _free_type(name: str) -> str | None:
    """A type as its label: in lower case, with single spaces; None for what has no letter or is no name any more."""
    visible = "".join(mark if mark.isprintable() else " " for mark in well_formed(name))
    label = fold_type(visible)
    return label if len(label) <= _LONGEST_TYPE and any(mark.isalpha() for mark in label) else None


def _fold(name: str) -> str:
    return " ".join(_SEPARATORS.sub(" ", name).casefold().split())


def _mended(*nodes: Array | Object, outside_a_list: bool = False) -> list[Fault]:
    """What was not as it was asked for, but lost nothing: once an answer for each kind."""
    kinds = {what for node in nodes for what in node.mended}
    if outside_a_list:
        kinds.add("mentions outside a list")
    return [Fault("JSON mended", what) for what in sorted(kinds)]


def answer_itself(text: str, *, begins: re.Pattern[str] | None = None, about: str = "") -> str:
    """An answer as Unicode that can be written, without a byte order mark and without the thoughts before it.

    Args:
        text: the whole answer.
        begins: what it begins with where there are no thoughts before it.
        about: a text that the answer repeats: if that has such marks itself, they are none.

    Raises:
        UnreadableAnswer: the thoughts do not end.
    """
    text = well_formed(text)
    text = text if about.startswith("\ufeff") else text.lstrip("\ufeff")
    if begins is not None and begins.match(text):
        return text
    if _THINKING_ENDS.search(about) or _THINKING_BEGINS.match(about):
        return text
    ends = list(_THINKING_ENDS.finditer(text))
    if ends:
        return text[ends[-1].end() :]
    if _THINKING_BEGINS.match(text):
        raise UnreadableAnswer("the answer ends before the thinking does; give the answer without thinking aloud")
    return text


def _decoded(text: str) -> str:
    """The answer itself, where it was wrapped in a JSON string."""
    if text.lstrip().startswith('"'):
        try:
            inner = json.loads(text)
        except ValueError:
            return text
        return inner if isinstance(inner, str) else text
    return text


def well_formed(text: str) -> str:
    """The text with halves of surrogate pairs joined, or replaced where they are alone: UTF-8 cannot write them."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _why_unreadable(answer: str, values: Sequence[Array | Object]) -> str:
    wanted = f'an object with a list "{ENTITIES}" of objects with {MATCH} and {CLASS}'
    if not answer.strip():
        return f"the answer is empty; it must be {wanted}"
    damage = next((value.damage for value in values if value.damage), None)
    if damage:
        return well_formed(damage)
    if values:
        return f"the JSON is not {wanted}; it begins with: {excerpt(answer)}"
    return f"there is no JSON in the answer, which must be {wanted}; it begins with: {excerpt(answer)}"


def _plain(value: Value) -> object:
    if isinstance(value, Array):
        return [_plain(item) for item in value.items]
    if isinstance(value, Object):
        return {key: _plain(each) for key, each in value.pairs}
    return str(value) if isinstance(value, str) else value


_LONGEST_TYPE = 80  # characters; what is longer is a sentence about the mention
_SEPARATORS = re.compile(r"[\s_-]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_JSON_BEGINS = re.compile(r"\s*(?:```|\{|\[\s*[{\]])")
_THINKING_BEGINS = re.compile(r"\s*(?:<(?:think|thinking|thought|reasoning)>|\[THINK\])", re.IGNORECASE)
_THINKING_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]", re.IGNORECASE)
