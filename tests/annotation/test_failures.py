"""What failed, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.annotation.failures import FailedChunks, Failure
from kazu_distill.errors import CorpusError

FAILURE = Failure("d\u2028 1", 2, Chunk(3, 9), "gpt", "stopped: safety", "it would not", 'raw "answer"\n')


def test_failures_are_read_back(tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_bytes(FAILURE.line() * 2)
    failed = FailedChunks.read(tmp_path / "failed.jsonl")
    assert len(failed) == 1
    assert failed.has_document(FAILURE.document_id)
    assert not failed.has_document("other")
    assert failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 9))
    assert not failed.has_chunk(FAILURE.document_id, "gpt", 2, Chunk(3, 8))
    assert not failed.has_chunk(FAILURE.document_id, "gemini", 2, Chunk(3, 9))


@pytest.mark.parametrize("line", [b"{", b"{}", b'{"document_id": "d", "section": 0, "chunk": [1, 2], "voter": "m"}'])
def test_a_broken_line_is_named(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "failed.jsonl").write_bytes(FAILURE.line() + line + b"\n")
    with pytest.raises(CorpusError, match=r"failed\.jsonl:2: not a line of failed\.jsonl"):
        FailedChunks.read(tmp_path / "failed.jsonl")
