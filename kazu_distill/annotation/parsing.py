"""Reading an LLM's answer: whatever of it is well formed is kept, the rest is counted by kind."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kazu_distill.schema import Schema

MATCH, CLASS = "entity_match", "entity_class"


@dataclass(frozen=True, slots=True)
class Mention:
    """A string that the LLM says is in the text, and the schema's class for it."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """The mentions of an answer in its order, and how often each kind of fault was met."""

    mentions: tuple[Mention, ...]
    faults: Counter[str] = field(default_factory=Counter)


class UnreadableAnswer(ValueError):
    """Nothing of the answer can be read as a list of mentions."""


def parse_answer(text: str, schema: Schema) -> ParsedAnswer:
    """Read the mentions out of an answer.

    The whole answer should be a JSON object with a list ``entities``. Fences and prose around it, a bare list, a cut
    end, trailing commas and unknown keys do not lose the mentions that are whole. An empty list is an answer.

    Raises:
        UnreadableAnswer: there is neither a list nor a single whole mention.
    """
    faults: Counter[str] = Counter()
    items = _whole_list(text)
    if items is None:
        items = _salvaged_items(text)
        faults["damaged JSON"] += 1
        if not items:
            raise UnreadableAnswer(f"no list of mentions in an answer of {len(text)} characters")
    mentions: list[Mention] = []
    for item in items:
        outcome = _mention(item, schema)
        if isinstance(outcome, Mention):
            mentions.append(outcome)
        else:
            faults[outcome] += 1
    return ParsedAnswer(tuple(mentions), faults)


def _whole_list(text: str) -> list[Any] | None:
    """The items of the first JSON list, or of the list in the first JSON object; None where neither is whole."""
    start = min((position for position in (text.find("{"), text.find("[")) if position >= 0), default=None)
    if start is None:
        return None
    try:
        value, _ = _DECODER.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        return None
    if isinstance(value, list):
        return value
    if MATCH in value:  # prose, then mentions one by one without a list around them
        return None
    return next((items for items in value.values() if isinstance(items, list)), None)


def _salvaged_items(text: str) -> list[Any]:
    """Every JSON object that is whole and looks like a mention, in order."""
    items: list[Any] = []
    position = text.find("{")
    while position >= 0:
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            end = position + 1  # the object around the mentions is broken; they are tried one by one
        else:
            if MATCH in value:
                items.append(value)
        position = text.find("{", end)
    return items


def _mention(item: Any, schema: Schema) -> Mention | str:
    """A mention, or the kind of fault that keeps an item from being one."""
    if not isinstance(item, dict):
        return "not an object"
    match, name = item.get(MATCH), item.get(CLASS)
    if not isinstance(match, str) or not match.strip():
        return "no entity_match"
    if not isinstance(name, str) or not name.strip():
        return "no entity_class"
    entity_class = schema.find(name)
    if entity_class is not None:
        return Mention(match, entity_class.name)
    return "class ignored by the schema" if schema.ignores(name) else "class not in the schema"


_DECODER = json.JSONDecoder(strict=False)  # LLMs write raw newlines and tabs into strings
