"""Prediction as a user runs it: killed and started again, with the same model and with another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, blocks_of
from kazu_distill.schema import Schema
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.saved import TaggerParts, save_parts
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import BLOCK
from tests.stages import kill_when, succeed
from tests.tagger.families import TEXTS, tiny_encoder

pytestmark = pytest.mark.slow


def model(folder: Path, *, threshold: float) -> Path:
    """A tagger with random weights, which finds something in about every other word."""
    schema = Schema(name="test", classes={"gene": {}, "disease": {}})
    scheme = label_scheme("bio", schema.labels)
    network, tokenizer = tiny_encoder("bert", folder / "encoder").load(scheme)
    network.save_pretrained(folder / "model")  # type: ignore[operator]
    settings = TaggerSettings(max_length=48, stride=12, threshold=threshold)
    save_parts(folder / "model", TaggerParts(tokenizer, schema, scheme, settings))
    return folder / "model"


def corpus(path: Path) -> list[Document]:
    """Documents of some blocks: one that is soon done, and others that take long enough to be killed in."""
    blank, words = " " * 100_000, " ".join(TEXTS) * 60
    documents = [Document(f"{number}", (Section("text", TEXTS[number % 2] + blank),)) for number in range(9)]
    documents += [Document(f"more {number}", (Section("text", words + blank),)) for number in range(6)]
    write_documents(path, documents)
    return documents


def test_after_kill_9_the_same_command_goes_on_to_the_same_file(tmp_path: Path) -> None:
    blocks = list(blocks_of(corpus(tmp_path / "corpus.jsonl"), characters=BLOCK))
    assert len(blocks) > 2
    common = ["device=cpu", "corpus=jsonl", f"corpus.path={tmp_path / 'corpus.jsonl'}"]
    command = [f"model={model(tmp_path, threshold=0.02)}", *common]
    succeed("predict", *command, f"out={tmp_path / 'whole'}")
    killed = [*command, f"out={tmp_path / 'killed'}"]
    half = tmp_path / "killed/.documents.jsonl.partial"
    kill_when(lambda: half.exists() and _whole_blocks(half, blocks) > 0, "predict", *killed)
    assert not (tmp_path / "killed/documents.jsonl").exists()
    shutil.copytree(tmp_path / "killed", tmp_path / "other")

    kept = sum(len(block) for block in blocks[: _whole_blocks(half, blocks)])
    assert 0 < kept < sum(map(len, blocks))
    assert f"going on: {kept:,} documents were labelled" in succeed("predict", *killed).printed
    whole, again = (tmp_path / f"{run}/documents.jsonl" for run in ("whole", "killed"))
    assert again.read_bytes() == whole.read_bytes()
    assert any(document.spans for document in read_documents(whole))
    assert not list((tmp_path / "killed").glob(".*"))

    other = [f"model={model(tmp_path / 'other model', threshold=0.01)}", *common]
    run = succeed("predict", *other, f"out={tmp_path / 'other'}")
    assert "is of another model, setting or corpus: labelled anew" in run.printed
    assert "going on" not in run.printed
    sources = {
        span.source for document in read_documents(tmp_path / "other/documents.jsonl") for _, span in document.spans
    }
    assert sources == {str(tmp_path / "other model/model")}


def _whole_blocks(path: Path, blocks: list[list[Document]]) -> int:
    """How many blocks a file has whole."""
    lines, count = path.read_bytes().count(b"\n"), 0
    while count < len(blocks) and lines >= len(blocks[count]):
        lines -= len(blocks[count])
        count += 1
    return count
