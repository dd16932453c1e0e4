"""Examples at random: what every other way has to be better than."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Allowed
from kazu_distill.schema import Schema


class AtRandom:
    """Chooses any examples, for each text others, which are the same whenever that text comes.

    Args:
        seed: another one chooses others.
    """

    def __init__(self, *, seed: int = 42) -> None:
        self._seed = seed
        self._examples = 0

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:  # noqa: ARG002
        """Take note of how many examples there are."""
        self._examples = len(examples)

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:
        """The positions of some examples."""
        chance = random.Random(f"{self._seed}\n{text}")
        return list(islice(filter(allowed, _shuffled(self._examples, chance)), most))


def _shuffled(count: int, chance: random.Random) -> Iterator[int]:
    """The numbers below ``count`` in any order (Fisher and Yates), in time that grows with how many are taken."""
    moved: dict[int, int] = {}
    for place in range(count):
        other = chance.randrange(place, count)
        here, there = moved.get(place, place), moved.get(other, other)
        moved[other] = here
        yield there
