"""Small pools of labelled documents, and an encoder that needs no model."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.retrieval.bm25 import BM25Index, words_of
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.retrieval.strategies.most_similar import MostSimilar
from kazu_distill.schema import Schema

SCHEMA = Schema(name="test", classes={"drug": {}, "disease": {}, "gene": {}})
WORDS = [
    f"{first}{last}" for first in ("bar", "cor", "del", "fam", "gul") for last in ("ine", "ol", "ate", "oma", "in")
]


class WordEncoder:
    """Vectors of hashed words: texts with the same words are alike. Counts what it is asked."""

    def __init__(self, identity: str = "words", dimensions: int = 64) -> None:
        self.identity = identity
        self.asked: list[str] = []
        self._dimensions = dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in words_of(text):
                row[zlib.crc32(word.encode()) % self._dimensions] += 1 + zlib.crc32(word.encode()) % 7 / 10
        return vectors


def labelled(identifier: str, text: str, mentions: Mapping[str, str] | None = None, score: float = 1.0) -> Document:
    """A document of one section in which each mention is labelled where it first stands."""
    spans = [
        Span(text.index(mention), text.index(mention) + len(mention), label, score=score)
        for mention, label in (mentions or {}).items()
    ]
    return Document(identifier, (Section("text", text, tuple(spans)),))


def prose(seed: int, words: int = 60) -> str:
    """Words in any order."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def written(path: Path, *documents: Document) -> Path:
    """A file of documents."""
    write_documents(path, documents)
    return path


def examples_of(folder: Path, *documents: Document, **settings: Any) -> RetrievedExamples:
    """Examples out of some documents, by BM25 unless it is said."""
    arguments: dict[str, Any] = {
        "schema": SCHEMA,
        "path": str(written(folder / "pool.jsonl", *documents)),
        "strategy": MostSimilar(index=BM25Index(), above=0),
        "chunks": Chunker(tokens=600),
        "cache": folder / "cache",
    }
    return RetrievedExamples(**arguments | settings)
