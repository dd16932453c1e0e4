"""Vectors from a server: asked for in batches, once, and with errors that say what to do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kazu_distill.errors import ConfigError, KazuDistillError
from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.embedding.encoder import EmbeddingError
from kazu_distill.retrieval.embedding.endpoint import EndpointEncoder
from tests.retrieval.embedding_server import EmbeddingServer, Fault
from tests.retrieval.pools import WordEncoder, prose

KEY = "sk-this-key-must-appear-nowhere"
POOL = [prose(seed, 20) for seed in range(50)]


def encoder(server: EmbeddingServer, **settings: Any) -> EndpointEncoder:
    arguments: dict[str, Any] = {"model": "m", "base_url": server.url, "api_key_env": None, "retries": 2}
    return EndpointEncoder(**arguments | settings)


def test_vectors_come_in_batches_and_in_the_order_of_the_texts() -> None:
    with EmbeddingServer() as server:
        vectors = encoder(server, batch_size=20).encode(POOL)
        assert np.allclose(vectors, WordEncoder().encode(POOL))
        assert [len(body["input"]) for body in server.received] == [20, 20, 10]
        assert {(body["model"], body["encoding_format"]) for body in server.received} == {("m", "float")}
        assert "dimensions" not in server.received[0]
        assert encoder(server, dimensions=8).encode(POOL[:1]).shape == (1, 8)


def test_no_text_is_asked_about_twice_and_kept_ones_need_no_server_and_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDING_KEY", KEY)
    with EmbeddingServer(key=KEY) as server:
        index = DenseIndex(encoder=encoder(server, api_key_env="EMBEDDING_KEY"))
        index.prepare(POOL, tmp_path)
        scores = index.scores("a question").tolist()
        assert sorted(server.texts) == sorted([*POOL, "a question"])
    monkeypatch.delenv("EMBEDDING_KEY")
    again = DenseIndex(encoder=encoder(server, api_key_env="EMBEDDING_KEY"))
    again.prepare(POOL, tmp_path)
    assert again.scores("a question").tolist() == scores
    with pytest.raises(KazuDistillError, match="set the environment variable EMBEDDING_KEY"):
        again.scores("another question")
    assert KEY.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_questions_of_many_threads_share_requests(tmp_path: Path) -> None:
    with EmbeddingServer() as server:
        index = DenseIndex(encoder=encoder(server))
        index.prepare(POOL, tmp_path)
        before = len(server.received)
        with ThreadPoolExecutor(32) as threads:
            list(threads.map(index.scores, (prose(seed, 20) for seed in range(100, 228))))
        assert len(server.received) - before < 64


def test_what_may_pass_is_tried_again(tmp_path: Path) -> None:
    busy: Fault = (429, {"error": {"message": "too many"}})
    with EmbeddingServer(faults=[busy, (503, {"error": {}})]) as server:
        DenseIndex(encoder=encoder(server)).prepare(POOL[:2], tmp_path)
        assert server.texts == POOL[:2]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ((401, {"error": {"message": f"wrong key {KEY}"}}), r"the key in EMBEDDING_KEY was not accepted \(401\)"),
        ((400, {"error": {"message": f"too long, {KEY}"}}), r"embeddings of 'm' failed \(400\).*\*\*\*"),
        ((404, {"error": {"message": "no such model"}}), r"embeddings of 'm' failed \(404\).*no such model"),
        ((200, "<html>"), "is no list of 3 embeddings"),
        ((200, {}), "is no list of 3 embeddings"),
        ((200, {"data": [{"index": 0, "embedding": [1.0]}]}), "is no list of 3 embeddings"),
        ((200, {"data": [{"index": n, "embedding": [float("nan")]} for n in range(3)]}), "are not all numbers"),
    ],
)
def test_a_fault_is_an_error_without_the_key(fault: Fault, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDING_KEY", KEY)
    with (
        EmbeddingServer(faults=[fault] * 9) as server,
        pytest.raises(EmbeddingError, match=message) as raised,
    ):
        encoder(server, api_key_env="EMBEDDING_KEY", retries=0).encode(["a", "b", "c"])
    assert KEY not in str(raised.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EmbeddingError, match=r"cannot reach http://127\.0\.0\.1:1/v1.*embedding\.base_url"):
        EndpointEncoder(model="m", base_url="http://127.0.0.1:1/v1", api_key_env=None, retries=0).encode(["a"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"base_url": "ftp://x"}, "an address begins with http"),
        ({"base_url": "http://me:secret@host/v1"}, r"embedding\.base_url holds a password"),
        ({"batch_size": 0}, r"embedding\.batch_size=0"),
        ({"batch_size": 5000}, r"embedding\.batch_size=5000"),
    ],
)
def test_a_setting_that_cannot_be_is_an_error(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        EndpointEncoder(**{"model": "m", "api_key_env": None} | setting)
    assert "secret" not in str(raised.value)
