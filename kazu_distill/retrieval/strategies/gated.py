"""Examples on demand: only those that share enough words with the text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kazu_distill.retrieval.bm25 import BM25Index
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Allowed, Strategy
from kazu_distill.schema import Schema


class Gated:
    """Of the examples that another strategy chooses, keeps those whose BM25 score is at least a threshold.

    For pools of another kind of text than what is labelled, where an example may mislead. The rule is that of Xie et
    al. 2024, "Retrieval Augmented Instruction Tuning for Open NER with Large Language Models" (arXiv 2406.17305). A
    score grows with the text that is asked about: a threshold fits sentences, or abstracts, but not both.

    Args:
        strategy: chooses; what does not pass is not replaced.
        gate: scores what was chosen.
        threshold: the least score that passes.
    """

    def __init__(self, *, strategy: Strategy, gate: BM25Index, threshold: float) -> None:
        self._strategy = strategy
        self._gate = gate
        self._threshold = threshold

    def prepare(self, examples: Sequence[Example], schema: Schema, cache: Path) -> None:
        """Prepare the strategy, and index the examples for the gate."""
        self._strategy.prepare(examples, schema, cache)
        self._gate.prepare([example.text for example in examples], cache)

    def choose(self, text: str, most: int, allowed: Allowed) -> list[int]:
        """The positions of what the strategy chooses and the gate lets pass; there may be none."""
        chosen = self._strategy.choose(text, most, allowed)
        scores = self._gate.scores(text)
        return [position for position in chosen if scores[position] >= self._threshold]
