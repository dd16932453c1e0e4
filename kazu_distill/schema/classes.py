"""The entity classes: one source for the prompt, the label list, Label Studio's view and the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from kazu_distill.errors import ConfigError

AskFor = Literal["classes", "types"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class EntityClass:
    """A class of entities: what belongs to it, examples, and mentions that are too general to be one.

    ``includes`` and ``excludes`` say in a few words each what belongs to it and what does not; ``near_misses`` what is
    easily taken for it, by the class that it is of. ``paraphrases`` are other wordings of the definition. ``types`` are
    other names under which an answer may list what belongs to it. ``stop_words`` are whole mentions, compared without
    case. ``colour`` is a CSS hex colour.
    """

    name: str
    definition: str = ""
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    near_misses: tuple[tuple[str, str], ...] = ()
    paraphrases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    stop_words: frozenset[str] = frozenset()
    colour: str = "#888888"


class Schema:
    """An ordered set of entity classes, and the class names of an LLM that are known and dropped.

    Args:
        name: how the schema is called, as in ``schema=kazu``.
        classes: class name to what is said of it, under the names of the fields of ``EntityClass``, all optional;
            ``near_misses`` is a mapping.
        ignored: classes that an LLM may answer and that are dropped on purpose, such as "other".
        ask_for: what an LLM is asked for: these ``classes``, or free ``types`` for whatever there is, in its own words,
            of which answers keep those that are classes or ``types`` of them; all, if there are no classes.

    Raises:
        ConfigError: no class and no free types, a class twice (case is ignored) or also among the ignored ones, a type
            of two classes, a near miss of a class that is not there, an unknown key, or a value of the wrong kind.
    """

    def __init__(
        self,
        *,
        name: str,
        classes: Mapping[str, Mapping[str, Any] | None],
        ignored: Sequence[str] = (),
        ask_for: AskFor = "classes",
    ) -> None:
        if ask_for not in get_args(AskFor):
            raise ConfigError(f"schema {name!r}: ask_for is {ask_for!r}; choose classes or types")
        if not isinstance(classes, Mapping):
            raise ConfigError(f"schema {name!r}: `classes:` must be a mapping of class names, not {classes!r:.80}")
        self.name = name
        self.ask_for = ask_for
        self.classes = tuple(_entity_class(name, key, settings or {}) for key, settings in classes.items())
        self.ignored = tuple(ignored)
        self._by_folded = {_fold(entity_class.name): entity_class for entity_class in self.classes}
        if not self.classes and ask_for == "classes":
            raise ConfigError(f"schema {name!r} has no classes: list them under `classes:` in its file in conf/schema")
        if len(self._by_folded) < len(self.classes):
            raise ConfigError(f"schema {name!r} has a class twice (upper and lower case do not differ)")
        for ignored_name in self.ignored:
            if self.find(ignored_name):
                raise ConfigError(f"schema {name!r}: {ignored_name!r} is a class and also stands under `ignored:`")
        for entity_class in self.classes:
            for other, _ in entity_class.near_misses:
                if not self.find(other) and not self.ignores(other):
                    raise ConfigError(
                        f"schema {name!r}, class {entity_class.name!r}: near_misses names {other!r}, which is no class"
                    )
        self._by_type = self._classes_by_type()

    @property
    def is_open(self) -> bool:
        """Whether there are no classes, and whatever an LLM calls a mention is its label."""
        return not self.classes and self.ask_for == "types"

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in order.

        Raises:
            ConfigError: the schema is open, and whoever needs to know the classes beforehand cannot go on.
        """
        if self.is_open:
            raise ConfigError(
                f"schema {self.name!r} has no classes, it asks for free types: make a schema of the types that were "
                "found first, with python -m kazu_distill.schema documents=runs/annotate/documents.jsonl"
            )
        return self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes, in order; none where the schema is open."""
        return tuple(entity_class.name for entity_class in self.classes)

    def find(self, name: str) -> EntityClass | None:
        """The class of that name, ignoring case and doubled spaces; None where the schema has none."""
        return self._by_folded.get(_fold(name))

    def of_type(self, name: str) -> EntityClass | None:
        """The class that is called so, or that has such a type; None where the schema has none."""
        return self.find(name) or self._by_type.get(fold_type(name))

    def ignores(self, name: str) -> bool:
        """Whether a class name is one that is dropped on purpose."""
        return _fold(name) in {_fold(ignored) for ignored in self.ignored}

    def only(self, labels: Sequence[str]) -> Schema:
        """The schema with some of its classes, in its order; near misses may be of the other ones."""
        return self.with_classes([entity_class for entity_class in self.classes if entity_class.name in labels])

    def with_classes(self, classes: Sequence[EntityClass]) -> Schema:
        """The schema with other classes; near misses may be of classes that it has no more."""
        other = copy(self)
        other.classes = tuple(classes)
        other._by_folded = {_fold(entity_class.name): entity_class for entity_class in classes}
        other._by_type = other._classes_by_type()
        return other

    def save(self, path: Path) -> None:
        """Write the schema as JSON."""
        path.write_text(json.dumps(self.as_mapping(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Schema:
        """Read a schema that ``save`` wrote.

        Raises:
            ConfigError: there is no such file, or it holds something else.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path}: no schema that kazu_distill saved ({error})") from error

    def _classes_by_type(self) -> dict[str, EntityClass]:
        by_type: dict[str, EntityClass] = {}
        for entity_class in self.classes:
            for folded in {fold_type(each) for each in entity_class.types}:
                other = by_type.setdefault(folded, self._by_folded.get(folded, entity_class))
                if other is not entity_class:
                    raise ConfigError(
                        f"schema {self.name!r}: {folded!r} is a type of {entity_class.name!r} and of {other.name!r}"
                    )
                if self.ignores(folded):
                    raise ConfigError(
                        f"schema {self.name!r}: {folded!r} is a type of {entity_class.name!r} and under `ignored:`"
                    )
        return by_type

    def as_mapping(self) -> dict[str, Any]:
        """The constructor's arguments, as plain values."""
        return {
            "name": self.name,
            "classes": {
                entity_class.name: {
                    "definition": entity_class.definition,
                    "includes": list(entity_class.includes),
                    "excludes": list(entity_class.excludes),
                    "near_misses": dict(entity_class.near_misses),
                    "paraphrases": list(entity_class.paraphrases),
                    "types": list(entity_class.types),
                    "examples": list(entity_class.examples),
                    "stop_words": sorted(entity_class.stop_words),
                    "colour": entity_class.colour,
                }
                for entity_class in self.classes
            },
            "ignored": list(self.ignored),
            "ask_for": self.ask_for,
        }


def fold_type(name: str) -> str:
    """The name of a type as it is compared: without case, and with a space for spaces and underscores."""
    return _fold(name.replace("_", " "))


def _entity_class(schema: str, name: str, settings: Mapping[str, Any]) -> EntityClass:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"schema {schema!r}: the class name {name!r} is not text; put quotes around it")
    if not isinstance(settings, Mapping):
        raise ConfigError(f"schema {schema!r}, class {name!r}: write `definition: {settings}` below it, indented")
    unknown = set(settings) - ({each.name for each in fields(EntityClass)} - {"name"})
    if unknown:
        raise ConfigError(f"schema {schema!r}, class {name!r}: unknown key {sorted(unknown)[0]!r}")
    where = f"schema {schema!r}, class {name!r}"
    colour = settings.get("colour", "#888888")
    if not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
        raise ConfigError(f'{where}: colour is {colour!r}; write it as "#a1b2c3", with the quotes')
    return EntityClass(
        name=name,
        definition=str(settings.get("definition", "")).strip(),
        includes=_strings(settings.get("includes", ()), f"{where}: includes"),
        excludes=_strings(settings.get("excludes", ()), f"{where}: excludes"),
        near_misses=_near_misses(settings.get("near_misses", {}), f"{where}: near_misses"),
        paraphrases=_strings(settings.get("paraphrases", ()), f"{where}: paraphrases"),
        types=_strings(settings.get("types", ()), f"{where}: types"),
        examples=_strings(settings.get("examples", ()), f"{where}: examples"),
        stop_words=frozenset(
            word.casefold() for word in _strings(settings.get("stop_words", ()), f"{where}: stop_words")
        ),
        colour=colour,
    )


def _near_misses(values: Any, where: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}; write a class and what of it is meant: {{treatment: chemotherapy}}")
    return tuple(zip(_strings(list(values), where), _strings(list(values.values()), where), strict=True))


def _strings(values: Any, where: str) -> tuple[str, ...]:
    """The values as strings; YAML turns an unquoted ``no`` or ``1`` into something else, and a lone word is no list."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ConfigError(f"{where} is {values!r}; write a list, such as [{values}]")
    for value in values:
        if not isinstance(value, str):
            raise ConfigError(f'{where}: {value!r} is not text; put quotes around it, "{value}"')
    return tuple(values)


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
