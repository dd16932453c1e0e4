"""BM25 against the formula written out, and the index that is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.retrieval.bm25 import BM25Index, words_of
from tests.retrieval.pools import WORDS, prose

texts = st.lists(st.sampled_from([*WORDS, "the", "of", "p53", "IL-2"]), max_size=12).map(" ".join)


def slow_scores(pool: Sequence[str], question: str, k1: float, b: float) -> list[float]:
    """The formula, word by word."""
    words = [words_of(text) for text in pool]
    mean = sum(map(len, words)) / len(words)
    scores = []
    for own in words:
        score = 0.0
        for word in words_of(question):
            containing = sum(word in other for other in words)
            if not containing:
                continue
            rarity = math.log(1 + (len(pool) - containing + 0.5) / (containing + 0.5))
            often = own.count(word)
            score += rarity * often * (k1 + 1) / (often + k1 * (1 - b + b * len(own) / mean))
        scores.append(score)
    return scores


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8), texts, st.sampled_from([(1.5, 0.75), (0.9, 0.4)]))
def test_scores_are_those_of_the_formula(pool: list[str], question: str, parameters: tuple[float, float]) -> None:
    k1, b = parameters
    index = BM25Index(k1=k1, b=b)
    with TemporaryDirectory() as folder:
        index.prepare(pool, Path(folder))
        if any(map(words_of, pool)):
            assert index.scores(question) == pytest.approx(slow_scores(pool, question, k1, b), rel=1e-4, abs=1e-5)
        else:
            assert index.scores(question).tolist() == [0.0] * len(pool)


def test_words_are_found_without_case_and_stop_words_and_letters_that_name_something_stay() -> None:
    assert words_of("The T cells, and vitamin D, of the IL-2 pathway") == [
        "t",
        "cells",
        "vitamin",
        "d",
        "il",
        "2",
        "pathway",
    ]
    assert words_of("Straße 肿瘤 TNF-α") == ["strasse", "肿", "瘤", "tnf", "α"]


def test_an_index_is_made_once_and_holds_no_pickle(tmp_path: Path) -> None:
    pool = [prose(seed) for seed in range(5)]
    first, second = BM25Index(), BM25Index()
    first.prepare(pool, tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {file.suffix for file in folder.iterdir()} == {".npy", ".json"}
    for array in folder.glob("*.npy"):
        np.load(array, allow_pickle=False)
    times = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    second.prepare(pool, tmp_path)
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == times
    assert first.scores(prose(9)).tolist() == second.scores(prose(9)).tolist()


def test_an_index_of_other_texts_order_or_settings_is_another_one(tmp_path: Path) -> None:
    pool = [prose(seed) for seed in range(3)]
    for texts, k1 in (
        (pool, 1.5),
        ([*pool, prose(4)], 1.5),
        (pool[::-1], 1.5),
        (pool, 1.2),
        ([pool[0] + pool[1]], 1.5),
    ):
        index = BM25Index(k1=k1)
        index.prepare(texts, tmp_path)
        assert index.scores(pool[0]) == pytest.approx(slow_scores(texts, pool[0], k1, 0.75), rel=1e-4, abs=1e-5)
    assert len(list(tmp_path.iterdir())) == 5


def test_an_index_that_cannot_be_read_is_made_again(tmp_path: Path) -> None:
    pool = [prose(seed) for seed in range(3)]
    BM25Index().prepare(pool, tmp_path)
    (folder,) = tmp_path.iterdir()
    for file in folder.glob("*.npy"):
        file.write_bytes(b"\x93NUMPY")
    index = BM25Index()
    index.prepare(pool, tmp_path)
    assert index.scores(pool[1]).argmax() == 1
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
