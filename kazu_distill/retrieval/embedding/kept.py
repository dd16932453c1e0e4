"""Vectors that were made once: one SQLite file, by encoder and text."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kazu_distill.retrieval.embedding.encoder import EmbeddingError, Encoder

_VERSION = 1  # of the vectors' form, as a part of the encoder's name
_TABLE = """
CREATE TABLE IF NOT EXISTS vectors (encoder TEXT, text BLOB, vector BLOB NOT NULL, PRIMARY KEY (encoder, text))
    WITHOUT ROWID
"""
_PATIENCE_S = 60.0
_BLOCK = 256  # texts after which what was made is kept, so that a run that is killed goes on from there

LENGTH = 4000
"""The length of a vector, whose coordinates are whole numbers.

A product of two such vectors, and every part of its sum, is a whole number below 2^24 (by Cauchy and Schwarz, up to
9,000 dimensions), which a 32-bit float holds exactly. So similarities do not depend on the order in which a library
sums, and with it on threads, batches and machines; the examples for a text, and the key of its question, stay the same.
"""


class KeptVectors:
    """An encoder whose vectors are kept, so that no text is encoded twice. May be used from several threads.

    Args:
        encoder: makes what is not there.
        path: the file; several processes may use one.
    """

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors():
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")  # a crash of the machine may cost the last ones
            self._connection.execute(_TABLE)

    def of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, whole numbers, of the length ``LENGTH``: ``(texts, dimensions)``.

        Raises:
            EmbeddingError: a vector cannot be made, has another length than the others, or cannot be kept.
        """
        vectors: list[NDArray[np.int16]] = []
        for start in range(0, len(texts), _BLOCK):
            vectors += self._of_block(texts[start : start + _BLOCK])
        if len({len(vector) for vector in vectors}) > 1:
            raise EmbeddingError(f"{self._encoder.identity}: not all vectors have the same number of dimensions")
        return np.array(vectors, np.float32)

    def _of_block(self, texts: Sequence[str]) -> list[NDArray[np.int16]]:
        keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
        vectors = self._kept(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
        if missing:
            made = dict(zip(missing, _whole_numbers(self._encoder.encode(list(missing.values()))), strict=True))
            self._keep(made)
            vectors |= self._kept(list(made))  # what another thread or process kept first is what counts
        return [vectors[key] for key in keys]

    def _kept(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.int16]]:
        places = ",".join("?" * len(keys))
        with self._lock, self._errors():
            rows = self._connection.execute(
                f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({places})", (self._name, *keys)
            ).fetchall()
        return {key: np.frombuffer(vector, "<i2") for key, vector in rows}

    def _keep(self, vectors: dict[bytes, NDArray[np.int16]]) -> None:
        rows = [(self._name, key, vector.astype("<i2").tobytes()) for key, vector in vectors.items()]
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
            except sqlite3.Error:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @property
    def _name(self) -> str:
        return f"{_VERSION} {self._encoder.identity}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise EmbeddingError(f"{self._path}: the vectors cannot be kept there: {error}") from error


def _whole_numbers(vectors: NDArray[np.float32]) -> NDArray[np.int16]:
    """Vectors of one length in whole numbers; one of zeros stays so."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    whole: NDArray[np.int16] = np.rint(vectors * (LENGTH / np.maximum(lengths, 1e-12))).astype(np.int16)
    return whole
