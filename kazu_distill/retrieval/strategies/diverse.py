"""Examples that are near the text, unlike each other, and of many classes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.index import best_first
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Allowed
from kazu_distill.schema import Schema


class Diverse:
    """Chooses among the nearest examples, one after another, that with the most of

        relevance · likeness to the text - (1 - relevance) · likeness to the most alike chosen one
            + coverage · share of the schema's classes that it adds

    The first two terms are maximal marginal relevance: Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based
    Reranking for Reordering Documents and Producing Summaries", doi:10.1145/290941.291025.

    Args:
        index: says how alike texts are.
        candidates: how many of the nearest to choose from.
        relevance: 0 to 1.
        coverage: what classes count beside likeness.
    """

    def __init__(
        self, *, index: DenseIndex, candidates: int = 50, relevance: float = 0.7, coverage: float = 1.0
    ) -> None:
        self._index = index
        self._candidates = candidates
        self._relevance = relevance
        self._coverage = coverage
        self._labels: list[frozenset[str]] = []
        self._classes = 1

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:
        """Index the examples."""
        self._index.prepare([example.text for example in examples], cache)
        self._labels = [frozenset(example.labels()) for example in examples]
        self._classes = len(schema.classes)

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:
        """The positions of the examples, in the order in which they were chosen."""
        scores = self._index.scores(text)
        left = list(islice(filter(allowed, best_first(scores)), max(self._candidates, most)))
        likeness = dict.fromkeys(left, -np.inf)  # to the most alike chosen one
        chosen: list[int] = []
        covered: set[str] = set()
        while left and len(chosen) < most:
            best = max(left, key=lambda position: self._worth(position, float(scores[position]), likeness, covered))
            left.remove(best)
            chosen.append(best)
            covered |= self._labels[best]
            for position, cosine in zip(left, self._index.similarities(left, best), strict=True):
                likeness[position] = max(likeness[position], float(cosine))
        return chosen

    def _worth(self, position: int, score: float, likeness: dict[int, float], covered: set[str]) -> float:
        repeated = max(likeness[position], 0.0)
        added = len(self._labels[position] - covered) / self._classes
        return self._relevance * score - (1 - self._relevance) * repeated + self._coverage * added
