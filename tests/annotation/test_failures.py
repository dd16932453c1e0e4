"""What failed, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.annotation.failures import FailedChunks, Failure
from kazu_distill.errors import CorpusError

FAILURE = Failure("d\u2028 1", 2, Chunk(3, 9), "gpt", "stopped: safety", "it would not", 'raw "answer"\n', ("a, b",))


def test_failures_are_read_back(tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_bytes(FAILURE.line() * 2)
    failed = FailedChunks.read(tmp_path / "failed.jsonl")
    assert len(failed) == 1
    assert failed.has_document(FAILURE.document_id)
    assert not failed.has_document("other")
    assert failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 9), ["a, b"])
    assert not failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 9), ["a", "b"])
    assert not failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 8), ["a, b"])
    assert not failed.has_chunk(FAILURE.document_id, "gemini", 2, Chunk(3, 9), ["a, b"])


def test_a_line_that_does_not_say_what_was_asked_stands_for_every_question(tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_bytes(FAILURE.line().replace(b',"asked":["a, b"]', b""))
    failed = FailedChunks.read(tmp_path / "failed.jsonl")
    assert failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 9), ["c"])


@pytest.mark.parametrize("line", [b"{", b"{}", b'{"document_id": "d", "section": 0, "chunk": [1, 2], "voter": "m"}'])
def test_a_broken_line_is_named(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_bytes(FAILURE.line() + line + b"\n")
    with pytest.raises(CorpusError, match=r"failed\.jsonl:2: not a line of failed\.jsonl"):
        FailedChunks.read(tmp_path / "failed.jsonl")
