"""The same examples for every text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from kazu_distill.errors import ConfigError
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Allowed
from kazu_distill.schema import Schema


class Fixed:
    """Shows given documents, or the first examples that together have most classes.

    One that must not be shown with a text is left out there, and no other takes its place.

    Args:
        ids: the documents to show, the most important first, each with all its chunks; None lets the classes decide.
    """

    def __init__(self, *, ids: Sequence[str] | None = None) -> None:
        self._ids = None if ids is None else tuple(ids)
        self._examples: Sequence[Example] = ()
        self._order: list[int] = []

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:  # noqa: ARG002
        """Find the given documents.

        Raises:
            ConfigError: one of them is not there.
        """
        self._examples = examples
        if self._ids is None:
            return
        chunks: dict[str, list[int]] = {}
        for position, example in enumerate(examples):
            chunks.setdefault(example.document_id, []).append(position)
        for identifier in self._ids:
            if identifier not in chunks:
                raise ConfigError(f'examples.strategy.ids: the pool has no document "{identifier}" that can be shown')
        self._order = [position for identifier in self._ids for position in chunks[identifier]]

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:  # noqa: ARG002
        """The positions of the examples."""
        if self._ids is None and len(self._order) < min(most, len(self._examples)):
            self._order = covering(self._examples, most)
        return list(filter(allowed, islice(self._order, most)))


def covering(examples: Sequence[Example], most: int) -> list[int]:
    """Positions of examples of which each adds as many classes as can be; of those the shortest, of those the first.

    When no class is left that one could add, it begins anew.
    """
    left = {position: example.labels() for position, example in enumerate(examples)}
    chosen: list[int] = []
    covered: set[str] = set()
    while left and len(chosen) < most:
        best = min(left, key=lambda position: (-len(left[position] - covered), len(examples[position].text), position))
        if covered and not left[best] - covered:
            covered = set()
            continue
        chosen.append(best)
        covered |= left.pop(best)
    return chosen
