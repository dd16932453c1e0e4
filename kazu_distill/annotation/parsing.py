"""Reading an LLM's answer: whatever of it is well formed is kept, the rest is counted by kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kazu_distill.schema import Schema

MATCH, CLASS, ENTITIES = "entity_match", "entity_class", "entities"


@dataclass(frozen=True, slots=True)
class Mention:
    """A string that the LLM says is in the text, and the schema's class for it."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in an answer that could not be used: its kind, and what it was."""

    kind: str
    example: str


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """The mentions of an answer in its order, and its faults."""

    mentions: tuple[Mention, ...]
    faults: tuple[Fault, ...] = ()


class UnreadableAnswer(ValueError):
    """Nothing of the answer can be read as a list of mentions."""


def parse_answer(text: str, schema: Schema) -> ParsedAnswer:
    """Read the mentions out of an answer.

    The whole answer should be a JSON object with a list ``entities``. Fences, prose and other JSON around it, a bare
    list, a cut end, trailing commas and unknown keys do not lose the mentions that are whole. The first list with
    mentions counts; where there is none, mentions that stand for themselves do, such as those before the end of a cut
    list; where there are none either, an empty list is an answer.

    Raises:
        UnreadableAnswer: there is neither a list nor a single whole mention.
    """
    alone: list[Any] = []
    empty = False
    for value in _values(text):
        for items in _lists(value):
            if any(_looks_like_mention(item) for item in items):
                return _read(items, schema)
            empty = empty or not items
        if _looks_like_mention(value):
            alone.append(value)
    if alone:
        return _read(alone, schema, Fault("damaged JSON", text[-80:]))
    if empty:
        return ParsedAnswer(())
    raise UnreadableAnswer(f"no list of mentions in an answer of {len(text)} characters")


def _values(text: str) -> Iterator[Any]:
    """Every JSON object and list in a text that is whole and not part of another one that is."""
    position = _next_start(text, 0)
    while position >= 0:
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            end = position + 1  # what is around the mentions is broken; they are tried one by one
        else:
            yield value
        position = _next_start(text, end)


def _next_start(text: str, position: int) -> int:
    starts = [found for found in (text.find("{", position), text.find("[", position)) if found >= 0]
    return min(starts, default=-1)


def _lists(value: Any) -> Iterator[list[Any]]:
    """The lists in a value, at any depth; of an object the one that was asked for first."""
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value, key=lambda key: key != ENTITIES):
            yield from _lists(value[key])


def _looks_like_mention(item: Any) -> bool:
    return isinstance(item, dict) and MATCH in item


def _read(items: list[Any], schema: Schema, *faults: Fault) -> ParsedAnswer:
    outcomes = [_mention(item, schema) for item in items]
    mentions = tuple(outcome for outcome in outcomes if isinstance(outcome, Mention))
    return ParsedAnswer(mentions, (*faults, *(outcome for outcome in outcomes if isinstance(outcome, Fault))))


def _mention(item: Any, schema: Schema) -> Mention | Fault:
    """A mention, or what keeps an item from being one."""
    if not isinstance(item, dict):
        return Fault("not an object", f"{item!r:.80}")
    match, name = item.get(MATCH), item.get(CLASS)
    if not isinstance(match, str) or not match.strip():
        return Fault(f"no {MATCH}", f"{item!r:.80}")
    if not isinstance(name, str) or not name.strip():
        return Fault(f"no {CLASS}", f"{item!r:.80}")
    entity_class = schema.find(name)
    if entity_class is not None:
        return Mention(match, entity_class.name)
    kind = "class ignored by the schema" if schema.ignores(name) else "class not in the schema"
    return Fault(kind, f"{match} ({name})")


_DECODER = json.JSONDecoder(strict=False)  # LLMs write raw newlines and tabs into strings
