"""Guidelines that differ from record to record, so that a model learns to read them and not to remember them.

After GoLLIE's training regularisation (Sainz et al. 2024): the order of the classes, the wording of their definitions
and their names change, and what belongs to them is then known from the guidelines alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from kazu_distill.errors import ConfigError
from kazu_distill.schema import EntityClass, Schema


@dataclass(frozen=True, slots=True)
class Shown:
    """A schema as a record shows it, and the name under which it shows each class of the true one."""

    schema: Schema
    names: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """How likely each change is, from 0 to 1.

    Args:
        shuffle: of a record, that its classes come in any order.
        paraphrase: of a class, that its definition is one of its ``paraphrases``, where it has any.
        drop_definitions: of a class, that nothing but its name is said.
        mask_names: of a record, that its classes are called LABEL_1, LABEL_2 … in any order. Their definitions are not
            dropped then, and a class of which nothing is said keeps its name: nobody could know what to look for.

    Raises:
        ConfigError: a probability is none.
    """

    shuffle: float = 0.0
    paraphrase: float = 0.0
    drop_definitions: float = 0.0
    mask_names: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ConfigError(f"noise.{name}={value}: give a probability, from 0 to 1")

    @property
    def changes_anything(self) -> bool:
        """Whether any change is possible."""
        return any((self.shuffle, self.paraphrase, self.drop_definitions, self.mask_names))

    def of(self, schema: Schema, chance: Random) -> Shown:
        """The schema as one record shows it.

        Args:
            schema: the true one.
            chance: seeded by the record, so that another run does the same.
        """
        # As many random numbers are drawn whatever is configured, so that one setting does not change another's draws.
        shuffles, masks = chance.random() < self.shuffle, chance.random() < self.mask_names
        order = chance.sample(range(len(schema.classes)), len(schema.classes))
        numbers = chance.sample(range(len(schema.classes)), len(schema.classes))
        draws = [(chance.random(), chance.random(), chance.random()) for _ in schema.classes]
        classes: Sequence[EntityClass] = [
            paraphrased(entity_class, which) if draw < self.paraphrase else entity_class
            for entity_class, (draw, which, _) in zip(schema.classes, draws, strict=True)
        ]
        if not masks:
            classes = [
                without_guideline(entity_class) if draw < self.drop_definitions else entity_class
                for entity_class, (_, _, draw) in zip(classes, draws, strict=True)
            ]
        if shuffles:
            classes = [classes[position] for position in order]
        names = masks_of(schema, numbers) if masks else {label: label for label in schema.labels}
        return Shown(schema.with_classes(renamed(classes, names)), names)


def paraphrased(entity_class: EntityClass, which: float) -> EntityClass:
    """The class with one of its paraphrases as definition, chosen by a number from 0 to 1; itself if it has none."""
    if not entity_class.paraphrases:
        return entity_class
    chosen = entity_class.paraphrases[int(which * len(entity_class.paraphrases))]
    return replace(entity_class, definition=chosen)


def without_guideline(entity_class: EntityClass) -> EntityClass:
    """The class with its name alone."""
    return EntityClass(entity_class.name, colour=entity_class.colour)


def masks_of(schema: Schema, numbers: Sequence[int]) -> dict[str, str]:
    """A name that says nothing for each class of which something else is said; no name is one that the schema has."""
    free = (name for number in range(1, len(numbers) + len(schema.labels) + len(schema.ignored) + 1)
            if not schema.find(name := f"LABEL_{number}") and not schema.ignores(name))  # fmt: skip
    masks = [next(free) for _ in numbers]
    return {
        entity_class.name: masks[number] if _says_something(entity_class) else entity_class.name
        for entity_class, number in zip(schema.classes, numbers, strict=True)
    }


def renamed(classes: Sequence[EntityClass], names: Mapping[str, str]) -> list[EntityClass]:
    """The classes under other names, also where one is mentioned as another's near miss."""
    by_folded = {_fold(name): shown for name, shown in names.items() if shown != name}
    return [
        replace(
            entity_class,
            name=names[entity_class.name],
            near_misses=tuple((by_folded.get(_fold(other), other), what) for other, what in entity_class.near_misses),
        )
        for entity_class in classes
    ]


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())


def _says_something(entity_class: EntityClass) -> bool:
    return bool(entity_class.definition or entity_class.includes or entity_class.examples or entity_class.paraphrases)
