"""Examples out of a pool of labelled documents."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.budget import within
from kazu_distill.retrieval.leaks import Leak, LeakGuard
from kazu_distill.retrieval.pieces import Chunker
from kazu_distill.retrieval.pool import Pool, read_pool
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.strategy import Strategy
from kazu_distill.schema import Schema

Answers = Callable[[Example], Sequence[str] | None]


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
        self._answers: Answers = _mentions
        self._ready: _Ready | None = None

    def prepare(self, answers: Answers) -> None:
        """Read the pool and index it.

        Args:
            answers: the answers that a prompt shows with an example, one for each of its questions; None if it has no
                way to write them, and then the example is not shown.

        Raises:
            CorpusError: a file is not there, or a record is broken.
            ConfigError: there is nothing to be shown, or a setting does not fit.
            EmbeddingError: the strategy needs vectors, and they cannot be made.
        """
        self._answers = answers
        self._prepared()

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples for a text of a document, the best one last, next to the text; there may be none."""
        ready = self._prepared()
        question = ready.guard.question(text, document)
        chosen = self._strategy.choose(text, self._k, question.allows)
        fitting = within(chosen, lambda position: ready.tokens[position], self._max_tokens)
        with self._counting:
            self._counts.update(leak.value for leak in question.refused.values())
            self._counts.update(
                queries=1,
                shown=len(fitting),
                queries_without_example=not fitting,
                left_out_for_length=len(chosen) - len(fitting),
            )
        return tuple(ready.pool.examples[position] for position in reversed(fitting))

    def figures(self) -> dict[str, Any]:
        """What was shown, what was kept out and why, and what the pool is, as JSON values."""
        pool = self._prepared().pool
        shown = ("queries", "shown", "queries_without_example", "left_out_for_length", Leak.SELF, Leak.NEAR_DUPLICATE)
        of_pool = (
            "documents", "repeated_documents", "chunks", "repeated_texts", "chunks_with_low_scores",
            "chunks_not_expressible", "chunks_too_long", "spans", "spans_cut", "spans_of_other_classes",
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

    def remarks(self) -> list[str]:
        """What the pool is, and what was left out of it, a line each."""
        pool = self.figures()["pool"]
        without = pool["classes_without_example"]
        left_out = [
            f"{pool[key]:,} {what}"
            for key, what in (
                ("repeated_documents", "documents that come again"),
                ("repeated_texts", "chunks whose text comes again"),
                ("chunks_with_low_scores", "chunks with a span below examples.min_score"),
                ("chunks_not_expressible", "chunks that prompt.style cannot express"),
                ("chunks_too_long", "chunks longer than examples.max_tokens"),
                ("spans_cut", "spans that the end of a chunk cuts"),
                ("spans_of_other_classes", "spans of classes that the schema has not"),
            )
            if pool[key]
        ]
        held_out = self.figures()[Leak.EVALUATION]
        left_out += [f"{held_out:,} chunks of the documents of examples.not_from"] if held_out else []
        return [
            f"examples: a pool of {pool['examples']:,} chunks from {pool['documents']:,} documents",
            *([f"  left out of it: {', '.join(left_out)}"] if left_out else []),
            *([f"  no example has a span of: {', '.join(without)}"] if without else []),
        ]

    def _prepared(self) -> _Ready:
        with self._preparing:
            if self._ready is None:
                pool = read_pool(
                    self._paths,
                    schema=self._schema,
                    chunker=self._chunker,
                    min_score=self._min_score,
                    not_from=self._not_from,
                )
                pool, tokens = self._that_can_be_shown(pool)
                self._strategy.prepare(pool.examples, self._schema, self._cache)
                self._ready = _Ready(pool, tokens, LeakGuard(pool.pieces))
            return self._ready

    def _that_can_be_shown(self, pool: Pool) -> tuple[Pool, list[int]]:
        """The pool without examples that have no answer, or that by themselves are more than the budget; and tokens."""
        tokens = {
            at: needed for at, example in enumerate(pool.examples) if (needed := self._tokens(example)) is not None
        }
        short = [at for at, needed in tokens.items() if needed <= self._max_tokens]
        pool.counts["chunks_not_expressible"] = len(pool.examples) - len(tokens)
        pool.counts["chunks_too_long"] = len(tokens) - len(short)
        if not tokens:
            raise ConfigError("examples: prompt.style can express the spans of none of them; choose another style")
        if not short:
            raise ConfigError(
                f"examples.max_tokens={self._max_tokens}: the shortest example takes {min(tokens.values())} with its "
                "answer; allow more, or cut the pool smaller (examples.chunks.tokens)"
            )
        return pool.only(short), [tokens[at] for at in short]

    def _tokens(self, example: Example) -> int | None:
        """About how many tokens an example takes with the longest of its answers; None if it has none."""
        answers = self._answers(example)
        return (
            None if answers is None else estimate_tokens(example.text) + max(map(estimate_tokens, answers), default=0)
        )


@dataclass(frozen=True, slots=True)
class _Ready:
    """What questions are answered from: the pool, the tokens of each example, and what says which may be shown."""

    pool: Pool
    tokens: Sequence[int]
    guard: LeakGuard


def _mentions(example: Example) -> list[str]:
    """What every form of answer has: the mentions and their classes."""
    return [" ".join(f"{example.text[span.start : span.end]} {span.label}" for span in example.spans)]


def _paths(given: str | Sequence[str]) -> list[Path]:
    return [Path(path).expanduser() for path in ([given] if isinstance(given, str) else given)]
