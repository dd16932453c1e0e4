"""The shapes in which LLMs list mentions with their classes, read as one list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

from kazu_distill.annotation.parsing.lenient_json import Array, Number, Object, Value

MATCH, CLASS, ENTITIES = "entity_match", "entity_class", "entities"

IsClass = Callable[[str], bool]
"""Whether a string is the name of a class, or of one that the schema ignores."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A string and a class that were listed together, None where one is missing; and where they were read."""

    text: str | None
    label: str | None
    source: Value


@dataclass(frozen=True, slots=True)
class Found:
    """Listings, none of which need be usable, and the container that they were read from."""

    listings: list[Listing]
    node: Array | Object
    single: bool = False


def find_listings(value: Value, is_class: IsClass) -> Found | None:
    """The first place in a value where mentions are listed, at any depth; else an empty list; None without either.

    What was asked for is ``{"entities": [{"entity_match": …, "entity_class": …}, …]}``. Where there is a key
    ``entities``, what it holds decides, also where that is nothing. These are read as well:

    - a list without the object around it, or inside another object; one object instead of a list of objects;
    - objects with one key like ``text`` or ``mention`` and one like ``type`` or ``label``; of two such keys with
      text it is not known which is meant, so such an object is no mention;
    - several classes for one string, several strings for one class;
    - pairs: ``[["aspirin", "drug"], …]``, in either order if only one of the two names a class;
    - objects with a class for each string, ``{"aspirin": "drug", …}``, or strings for each class,
      ``{"drug": ["aspirin", …], …}``, if the schema knows at least one of these classes.
    """
    if isinstance(value, Array):
        return _in_array(value, is_class)
    if isinstance(value, Object):
        return _in_object(value, is_class)
    return None


def _in_array(array: Array, is_class: IsClass) -> Found | None:
    listings = [listing for item in array.items for listing in _item(item, is_class)]
    if any(listing.text is not None or _asked(listing.source) for listing in listings):
        return Found(listings, array)
    if array.closed and not array.items:
        return Found([], array)
    return _in_children(array.items, is_class)


def _in_object(record: Object, is_class: IsClass) -> Found | None:
    single = _mention(record)
    if single and _has(record, MATCH):
        return Found(single, record, single=True)
    for key, value in record.pairs:
        if _fold(key) == _fold(ENTITIES) and (value is None or isinstance(value, Array | Object)):
            nothing = value is None or (isinstance(value, Object) and value.closed and not value.pairs)
            return Found([], record) if nothing else find_listings(value, is_class)
    if single:
        return Found(single, record, single=True)
    mapped = _mapping(record, is_class)
    if mapped is not None:
        return Found(mapped, record)
    return _in_children((value for _, value in record.pairs), is_class)


def _in_children(children: Iterable[Value], is_class: IsClass) -> Found | None:
    empty: Found | None = None
    for child in children:
        found = find_listings(child, is_class)
        if found and found.listings:
            return found
        empty = empty or found
    return empty


def _item(item: Value, is_class: IsClass) -> list[Listing]:
    """What an item of a list says; nothing if the text ends inside it."""
    if isinstance(item, Array | Object) and not item.closed:
        return []
    if isinstance(item, Object):
        return _mention(item) or _mapping(item, is_class) or [Listing(None, None, item)]
    if isinstance(item, Array) and len(texts := _texts(item)) == 2 == len(item.items):
        first, second = texts
        if is_class(second):
            return [Listing(first, second, item)]
        if is_class(first):
            return [Listing(second, first, item)]
    return [Listing(None, None, item)]


def _mention(record: Object) -> list[Listing]:
    """The mentions that an object stands for by its keys; none if it has not got those keys, or is not whole."""
    if not record.closed:
        return []
    texts, labels = _field(record, MATCH, _NEAR_MATCH), _field(record, CLASS, _NEAR_CLASS)
    if not (texts and labels) and not _has(record, MATCH):
        return []
    if len(texts) == len(labels):
        pairs = list(zip(texts, labels, strict=True))
    elif 1 in (len(texts), len(labels)):
        pairs = list(product(texts, labels))
    else:
        pairs = []
    if not pairs:
        unsaid = [Listing(text, None, record) for text in texts] if not labels else []
        return unsaid or [Listing(None, labels[0] if labels else None, record)]
    return [Listing(text, label, record) for text, label in pairs]


def _field(record: Object, asked: str, near: frozenset[str]) -> list[str]:
    """The strings under the key that was asked for; where it is absent, under the only key like it that has any."""
    if _has(record, asked):
        own = [value for key, value in record.pairs if _fold(key) == _fold(asked)]
        return [text for value in own for text in ([value] if isinstance(value, Number) else _texts(value))]
    by_key: dict[str, list[str]] = {}
    for key, value in record.pairs:
        if _fold(key) in near and (texts := _texts(value)):
            by_key.setdefault(_fold(key), []).extend(texts)
    return next(iter(by_key.values())) if len(by_key) == 1 else []


def _mapping(record: Object, is_class: IsClass) -> list[Listing] | None:
    """Listings of an object whose keys are strings or classes; None if it is not such an object."""
    if not record.pairs:
        return None
    named = [bool(texts := _texts(value)) and all(map(is_class, texts)) for _, value in record.pairs]
    keys_are_classes = [is_class(key) for key, _ in record.pairs]
    if any(named) and not all(keys_are_classes) and all(_texts(value) for _, value in record.pairs):
        if any(_fold(key) in _NEAR_CLASS or _fold(key) == _fold(CLASS) for key, _ in record.pairs):
            return None
        return [Listing(key, label, record) for key, value in record.pairs for label in _texts(value)]
    if any(keys_are_classes):
        return [
            listing
            for (key, value), known in zip(record.pairs, keys_are_classes, strict=True)
            if known or isinstance(value, Array)
            for listing in _of_class(key, value, record)
        ]
    return None


def _of_class(label: str, value: Value, record: Object) -> list[Listing]:
    if isinstance(value, Array):
        return [listing for item in value.items for listing in _of_class(label, item, record)]
    if isinstance(value, Object):
        texts = _field(value, MATCH, _NEAR_MATCH) if value.closed else []
        labels = _field(value, CLASS, _NEAR_CLASS) or [label]
        return [Listing(text, labels[0], value) for text in texts] or [Listing(None, label, value)]
    return [Listing(value, label, record)] if isinstance(value, str) else []


def _texts(value: Value) -> list[str]:
    """A string, or a list of nothing but strings; else nothing."""
    if isinstance(value, Array):
        texts = [item for item in value.items if isinstance(item, str) and not isinstance(item, Number)]
        return texts if len(texts) == len(value.items) else []
    return [value] if isinstance(value, str) and not isinstance(value, Number) else []


def _asked(value: Value) -> bool:
    return isinstance(value, Object) and _has(value, MATCH)


def _has(record: Object, asked: str) -> bool:
    return any(_fold(key) == _fold(asked) for key, _ in record.pairs)


def _fold(key: str) -> str:
    """A key without case and separators: ``Entity-Match`` and ``entityMatch`` are ``entity_match``."""
    return _SEPARATORS.sub("", key).casefold()


_SEPARATORS = re.compile(r"[\W_]+")
_NEAR_MATCH = frozenset(
    {"entity", "entityname", "entitytext", "match", "mention", "mentiontext", "name"}
    | {"span", "surface", "surfaceform", "term", "text", "word"}
)
_NEAR_CLASS = frozenset({"category", "class", "entitycategory", "entitylabel", "entitytype", "label", "type"})
