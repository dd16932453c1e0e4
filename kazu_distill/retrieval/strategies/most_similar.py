"""The examples that are most like the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from kazu_distill.retrieval.index import Index, best_first
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Allowed
from kazu_distill.schema import Schema


class MostSimilar:
    """Chooses the examples with the highest scores.

    Args:
        index: what says how alike texts are: ``BM25Index`` by their words, ``DenseIndex`` by their meaning.
        above: an example whose score is not higher is not shown; None shows any.
    """

    def __init__(self, *, index: Index, above: float | None = None) -> None:
        self._index = index
        self._above = above

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:  # noqa: ARG002
        """Index the examples."""
        self._index.prepare([example.text for example in examples], cache)

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:
        """The positions of the most similar examples."""
        ranked = best_first(self._index.scores(text), above=self._above)
        return list(islice(filter(allowed, ranked), most))
