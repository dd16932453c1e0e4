"""Examples out of a pool of labelled documents."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.retrieval.budget import example_tokens, within
from kazu_distill.retrieval.leaks import Leak, LeakGuard
from kazu_distill.retrieval.pieces import Chunker
from kazu_distill.retrieval.pool import Pool, read_pool
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Strategy
from kazu_distill.schema import Schema


class RetrievedExamples:
    """Chooses examples for texts, never the text itself or one that is nearly the same.

    The pool is read, and what the strategy needs of it is made, by ``prepare`` or with the first text.

    Args:
        schema: the classes; spans of others are not shown.
        path: labelled documents as JSONL: a file, a folder, or several, of which the first counts for a document.
        strategy: the way to choose.
        chunks: cuts the pool's documents into examples.
        k: the most examples for a text.
        max_tokens: the most that they may take together, as estimated, with their answers; one that does not fit is
            left out whole.
        min_score: chunks with a span of a lower score are not shown.
        not_from: documents that the run will be measured on; they are not shown, nor is what has their text.
        cache: the folder in which indexes and vectors are kept.

    Raises:
        ConfigError: a number is none, or not one that can be.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        path: str | Sequence[str],
        strategy: Strategy,
        chunks: Chunker,
        k: int = 2,
        max_tokens: int = 4000,
        min_score: float = 0.0,
        not_from: Sequence[str] = (),
        cache: str | Path,
    ) -> None:
        require_number("examples.k", k, above=0, whole=True)
        require_number("examples.max_tokens", max_tokens, above=0, whole=True)
        require_number("examples.min_score", min_score)
        self._schema = schema
        self._paths = _paths(path)
        self._strategy = strategy
        self._chunker = chunks
        self._k = k
        self._max_tokens = max_tokens
        self._min_score = min_score
        self._not_from = _paths(not_from)
        self._cache = Path(cache).expanduser()
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._preparing = threading.Lock()
        self._ready: tuple[Pool, LeakGuard] | None = None

    def prepare(self) -> None:
        """Read the pool and index it.

        Raises:
            CorpusError: a file is not there, or a record is broken.
            ConfigError: there is nothing to be shown, or a setting does not fit.
            EmbeddingError: the strategy needs vectors, and they cannot be made.
        """
        self._prepared()

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples for a text of a document, the best one last, next to the text; there may be none."""
        pool, guard = self._prepared()
        question = guard.question(text, document)
        chosen = [pool.examples[position] for position in self._strategy.choose(text, self._k, question.allows)]
        fitting = within(chosen, example_tokens, self._max_tokens)
        with self._counting:
            self._counts.update(leak.value for leak in question.refused.values())
            self._counts.update(
                queries=1,
                shown=len(fitting),
                queries_without_example=not fitting,
                left_out_for_length=len(chosen) - len(fitting),
            )
        return tuple(reversed(fitting))

    def figures(self) -> dict[str, Any]:
        """What was shown, what was kept out and why, and what the pool is, as JSON values."""
        pool, _ = self._prepared()
        shown = ("queries", "shown", "queries_without_example", "left_out_for_length", Leak.SELF, Leak.NEAR_DUPLICATE)
        of_pool = (
            "documents", "repeated_documents", "chunks", "repeated_texts", "chunks_with_low_scores", "chunks_too_long",
            "spans", "spans_cut", "spans_of_other_classes",
        )  # fmt: skip
        labels = {span.label for example in pool.examples for span in example.spans}
        return {
            **{str(key): self._counts[key] for key in shown},
            str(Leak.EVALUATION): pool.counts[Leak.EVALUATION],
            "pool": {
                "examples": len(pool.examples),
                **{key: pool.counts[key] for key in of_pool},
                "classes_without_example": [label for label in self._schema.labels if label not in labels],
            },
        }

    def _prepared(self) -> tuple[Pool, LeakGuard]:
        with self._preparing:
            if self._ready is None:
                pool = read_pool(
                    self._paths,
                    schema=self._schema,
                    chunker=self._chunker,
                    min_score=self._min_score,
                    not_from=self._not_from,
                )
                pool = self._short_enough(pool)
                self._strategy.prepare(pool.examples, self._schema, self._cache)
                self._ready = pool, LeakGuard(pool.pieces)
            return self._ready

    def _short_enough(self, pool: Pool) -> Pool:
        """The pool without examples that by themselves are more than the budget."""
        lengths = [example_tokens(example) for example in pool.examples]
        short = [position for position, tokens in enumerate(lengths) if tokens <= self._max_tokens]
        pool.counts["chunks_too_long"] = len(pool.examples) - len(short)
        if not short:
            raise ConfigError(
                f"examples.max_tokens={self._max_tokens}: the shortest example takes {min(lengths)} tokens with its "
                "answer; allow more, or cut the pool smaller (examples.chunks.tokens)"
            )
        return pool.only(short) if len(short) < len(lengths) else pool


def _paths(given: str | Sequence[str]) -> list[Path]:
    return [Path(path).expanduser() for path in ([given] if isinstance(given, str) else given)]
