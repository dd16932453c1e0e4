"""Classes as instructions explain them in prose."""

from __future__ import annotations

from kazu_distill.schema import EntityClass


def explained(entity_class: EntityClass, head: str) -> str:
    """What is said of a class: a line that begins with ``head`` and has the definition, then a line for each rest."""
    lines = [head]
    if entity_class.definition:
        lines[0] += f": {' '.join(entity_class.definition.split())}"
    return "\n".join((*lines, *(f"  {remark}" for remark in (*remarks(entity_class), *_examples(entity_class)))))


def remarks(entity_class: EntityClass) -> list[str]:
    """What belongs to a class and what does not, a line each."""
    kinds = (
        ("Belongs here", entity_class.includes),
        ("Does not belong here", entity_class.excludes),
        *((f'Not this, but "{other}"', (what,)) for other, what in entity_class.near_misses),
    )
    return [f"{heading}: {'; '.join(items)}" for heading, items in kinds if items]


def _examples(entity_class: EntityClass) -> list[str]:
    kinds = (("Examples", entity_class.examples), ("Not on their own", tuple(sorted(entity_class.stop_words))))
    return [f"{heading}: {'; '.join(items)}" for heading, items in kinds if items]
