"""The entity classes: one source for the prompt, the label list, Label Studio's view and the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kazu_distill.errors import ConfigError

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class EntityClass:
    """A class of entities: what belongs to it, examples, and mentions that are too general to be one.

    ``stop_words`` are whole mentions, compared without case. ``colour`` is a CSS hex colour.
    """

    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    stop_words: frozenset[str] = frozenset()
    colour: str = "#888888"


class Schema:
    """An ordered set of entity classes, and the class names of an LLM that are known and dropped.

    Args:
        name: how the schema is called, as in ``schema=kazu``.
        classes: class name to its ``definition``, ``examples``, ``stop_words`` and ``colour``, all optional.
        ignored: classes that an LLM may answer and that are dropped on purpose, such as "other".

    Raises:
        ConfigError: no class, a class twice (case is ignored) or also among the ignored ones, an unknown key, or a
            value of the wrong kind.
    """

    def __init__(
        self,
        *,
        name: str,
        classes: Mapping[str, Mapping[str, Any] | None],
        ignored: Sequence[str] = (),
    ) -> None:
        if not isinstance(classes, Mapping):
            raise ConfigError(f"schema {name!r}: `classes:` must be a mapping of class names, not {classes!r:.80}")
        self.name = name
        self.classes = tuple(_entity_class(name, key, settings or {}) for key, settings in classes.items())
        self.ignored = tuple(ignored)
        self._by_folded = {_fold(entity_class.name): entity_class for entity_class in self.classes}
        if not self.classes:
            raise ConfigError(f"schema {name!r} has no classes: list them under `classes:` in its file in conf/schema")
        if len(self._by_folded) < len(self.classes):
            raise ConfigError(f"schema {name!r} has a class twice (upper and lower case do not differ)")
        for ignored_name in self.ignored:
            if self.find(ignored_name):
                raise ConfigError(f"schema {name!r}: {ignored_name!r} is a class and also stands under `ignored:`")

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(entity_class.name for entity_class in self.classes)

    def find(self, name: str) -> EntityClass | None:
        """The class of that name, ignoring case and doubled spaces; None where the schema has none."""
        return self._by_folded.get(_fold(name))

    def ignores(self, name: str) -> bool:
        """Whether a class name is one that is dropped on purpose."""
        return _fold(name) in {_fold(ignored) for ignored in self.ignored}

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

    def as_mapping(self) -> dict[str, Any]:
        """The constructor's arguments, as plain values."""
        return {
            "name": self.name,
            "classes": {
                entity_class.name: {
                    "definition": entity_class.definition,
                    "examples": list(entity_class.examples),
                    "stop_words": sorted(entity_class.stop_words),
                    "colour": entity_class.colour,
                }
                for entity_class in self.classes
            },
            "ignored": list(self.ignored),
        }


def _entity_class(schema: str, name: str, settings: Mapping[str, Any]) -> EntityClass:
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"schema {schema!r}: the class name {name!r} is not text; put quotes around it")
    if not isinstance(settings, Mapping):
        raise ConfigError(f"schema {schema!r}, class {name!r}: write `definition: {settings}` below it, indented")
    unknown = set(settings) - {"definition", "examples", "stop_words", "colour"}
    if unknown:
        raise ConfigError(f"schema {schema!r}, class {name!r}: unknown key {sorted(unknown)[0]!r}")
    where = f"schema {schema!r}, class {name!r}"
    colour = settings.get("colour", "#888888")
    if not (isinstance(colour, str) and _COLOUR.fullmatch(colour)):
        raise ConfigError(f'{where}: colour is {colour!r}; write it as "#a1b2c3", with the quotes')
    return EntityClass(
        name=name,
        definition=str(settings.get("definition", "")).strip(),
        examples=_strings(settings.get("examples", ()), f"{where}: examples"),
        stop_words=frozenset(
            word.casefold() for word in _strings(settings.get("stop_words", ()), f"{where}: stop_words")
        ),
        colour=colour,
    )


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
