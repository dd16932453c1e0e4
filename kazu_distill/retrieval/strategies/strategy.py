"""What every way to choose has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from kazu_distill.retrieval.shown import Example
from kazu_distill.schema import Schema

Allowed = Callable[[int], bool]
"""Whether the example at a position may be shown with the text that is asked about."""


class Strategy(Protocol):
    """Chooses examples; to be prepared once, then to be used from several threads."""

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:
        """Take note of the examples there are; what takes long is kept in ``cache``.

        Raises:
            ConfigError: the examples do not fit the settings.
        """
        ...

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:
        """The positions of at most so many examples for a text, the best first; the same in every run."""
        ...
