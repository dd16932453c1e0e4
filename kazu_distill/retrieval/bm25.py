"""Search by shared words: BM25."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import bm25s
import numpy as np
from bm25s.stopwords import STOPWORDS_EN_PLUS
from numpy.typing import NDArray

from kazu_distill.retrieval.pieces import digest_of

_VERSION = 1  # of the words and of the formula, as a part of an index's name
_NO_SPACES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han and kana: each character counts as a word
_WORD = re.compile(rf"[{_NO_SPACES}]|[^\W{_NO_SPACES}]+")
# Of the letters that NLTK's list has for the ends of "don't" and "they'd", most are words here: T cell, vitamin D.
_STOP_WORDS = frozenset(word for word in STOPWORDS_EN_PLUS if len(word) > 1 or word in "ais")
_COMMON = 0.2  # share of the texts from which on adding a word's scores to all texts is faster than to those with it
logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG, and that would go into the stage's log


class BM25Index:
    """Scores by the words that two texts share, without stop words, rare words more than common ones.

    score = Σ idf(w) · f(w) · (k1 + 1) / (f(w) + k1 · (1 - b + b · length / mean length)) over the question's words w,
    as often as they come, with Lucene's idf(w) = ln(1 + (N - n(w) + ½) / (n(w) + ½)), which is never negative.
    Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond"; computed by bm25s.

    Args:
        k1: how soon more of a word adds nothing; ``b``: how much longer texts are marked down, 0 to 1.
    """

    def __init__(self, *, k1: float = 1.5, b: float = 0.75) -> None:
        self._k1 = k1
        self._b = b
        self._numbers: dict[str, int] = {}
        # By word, one after another: the texts that it stands in, what it counts there, and where a word begins.
        self._of_word = np.empty(0, np.intp)
        self._counts_there = np.empty(0, np.float32)
        self._begins = np.zeros(1, np.int64)
        self._of_common: dict[int, NDArray[np.float32]] = {}
        self._texts = 0

    def prepare(self, texts: Sequence[str], cache: Path) -> None:
        """Index texts, or read the index of these very texts from ``cache``."""
        self._texts, self._numbers, self._of_common = len(texts), {}, {}
        index = self._read_or_make(texts, cache)
        if index is None:
            return
        self._numbers = index.vocab_dict
        matrix = index.scores
        # With numbers of the machine's own width numpy adds in half the time.
        self._of_word, self._counts_there = matrix["indices"].astype(np.intp), matrix["data"]
        self._begins = matrix["indptr"]
        for word in np.flatnonzero(np.diff(self._begins) > _COMMON * len(texts)):
            self._of_common[int(word)] = self._add(np.zeros(len(texts), np.float32), word, 1)

    def scores(self, text: str) -> NDArray[np.float32]:
        """How much each text is like this one, ``(texts,)``; 0 where they share no word."""
        scores = np.zeros(self._texts, np.float32)
        # Always in the order in which the words first come, as the last bits of a sum depend on it.
        for word, times in Counter(words_of(text)).items():
            number = self._numbers.get(word)
            if number in self._of_common:
                scores += self._of_common[number] if times == 1 else self._of_common[number] * np.float32(times)
            elif number is not None:
                self._add(scores, number, times)
        return scores

    def _add(self, scores: NDArray[np.float32], word: int, times: int) -> NDArray[np.float32]:
        """Add what a word counts in each text."""
        there = slice(self._begins[word], self._begins[word + 1])
        counts = self._counts_there[there]
        np.add.at(scores, self._of_word[there], counts if times == 1 else counts * np.float32(times))
        return scores

    def _read_or_make(self, texts: Sequence[str], cache: Path) -> bm25s.BM25 | None:
        """The index; None where no text has a word, of which bm25s makes none."""
        folder = cache / f"bm25-{digest_of(texts, _VERSION, bm25s.__version__, self._k1, self._b)}"
        if folder.is_dir():
            # One that cannot be read is made again.
            with suppress(OSError, ValueError, KeyError, EOFError):
                return bm25s.BM25.load(folder, allow_pickle=False, show_progress=False)
        numbers: dict[str, int] = {}
        indexed = [[numbers.setdefault(word, len(numbers)) for word in words_of(text)] for text in texts]
        if not numbers:
            return None
        made = bm25s.BM25(k1=self._k1, b=self._b, method="atire", idf_method="lucene")
        made.index((indexed, numbers), create_empty_token=False, show_progress=False)
        _save(made, folder)
        return made


def words_of(text: str) -> list[str]:
    """The words of a text by which it is found, without case and without stop words."""
    return [word for word in _WORD.findall(text.casefold()) if word not in _STOP_WORDS]


def _save(index: bm25s.BM25, folder: Path) -> None:
    """Write an index so that it appears whole or not at all; another process may be doing the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        index.save(unfinished, show_progress=False, allow_pickle=False)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # the other process was first
            unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
