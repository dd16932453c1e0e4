"""``python -m kazu_distill.export``: what passes its checks is kept, what does not is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.tagger.tagger import Tagger
from tests.stages import fail, succeed
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import DOCUMENTS, TEXTS, head_of, save_tagger


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A saved tagger."""
    return save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Texts without labels."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_text(text)
    return folder


def gold_for(model: Path) -> Path:
    """Documents with gold that the model knows by heart."""
    file = model.with_name("gold.jsonl")
    write_documents(file, Tagger.from_pretrained(model, device="cpu").label(DOCUMENTS))
    return file


def files_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if file.suffix == ".onnx" or file.is_dir()}


def test_a_tagger_is_exported_checked_and_run(model: Path, tmp_path: Path) -> None:
    gold = gold_for(model)
    command = ("export", f"model={model}", f"gold.path={gold}", "tolerance.f1=20")
    printed = succeed(*command).printed
    out = model / "onnx"
    assert files_in(out) == {"model.onnx", "model_int8.onnx"}
    report = json.loads((out / "export.json").read_text())
    assert list(report["runtimes"]) == ["torch", "onnx", "int8"]
    assert report["gold"] == str(gold)
    assert report["runtimes"]["onnx"]["logit_difference"] < report["tolerance"]["logits"]
    assert report["runtimes"]["onnx"]["bytes"] == (out / "model.onnx").stat().st_size
    assert all(figures["micro_f1"] > 0.8 for figures in report["runtimes"].values())
    assert all(word in printed for word in ("micro F1", "documents/s", "largest difference", str(out / "model.onnx")))
    corpus = ("corpus=jsonl", f"corpus.path={gold}", f"out={tmp_path / 'predicted'}")
    succeed("predict", f"model={out}", "runtime=int8", *corpus)
    assert any(document.spans for document in read_documents(tmp_path / "predicted/documents.jsonl"))
    succeed("evaluate", f"model={model}", "runtime=onnx", f"gold.path={gold}", f"out={tmp_path / 'scored'}")
    assert json.loads((tmp_path / "scored/metrics.json").read_text())["micro_f1"] > 0.99
    before = {file.name: file.read_bytes() for file in out.glob("*.onnx")}
    succeed(*command)
    assert {file.name: file.read_bytes() for file in out.glob("*.onnx")} == before


def test_without_gold_torchs_own_predictions_are_the_gold(model: Path, texts: Path) -> None:
    run = succeed("export", f"model={model}", "corpus@gold=text", f"gold.path={texts}", "tolerance.f1=20")
    assert "torch's own predictions" in run.printed
    report = json.loads((model / "onnx/export.json").read_text())
    assert report["gold"] == "predictions of torch"
    assert report["runtimes"]["torch"]["micro_f1"] == 1


def test_int8_that_finds_other_entities_is_refused_and_an_older_one_taken_away(tmp_path: Path) -> None:
    def spread(network: Any) -> None:
        """Give one unit, which is always 0, weights beside which 8 bits make all others 0."""
        head = head_of(network)
        last = [layer for layer in network.modules() if isinstance(layer, nn.LayerNorm)][-1]
        last.weight.data[0] = last.bias.data[0] = 0
        head.weight.data[:, 0] = 1e5

    model = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model", change=spread)
    (model / "onnx").mkdir()
    (model / "onnx/model_int8.onnx").write_bytes(b"of an earlier run")
    error = fail("export", f"model={model}", f"gold.path={gold_for(model)}")
    assert "model_int8.onnx is not kept: its strict micro F1 on 3 documents is" in error
    assert "torch's 100.0" in error
    assert files_in(model / "onnx") == {"model.onnx"}
    assert "int8" in json.loads((model / "onnx/export.json").read_text())["runtimes"]


def test_onnx_whose_logits_differ_is_refused(tmp_path: Path) -> None:
    def diverge(network: Any) -> None:
        """Leave what training leaves when it diverges."""
        head_of(network).bias.data[0] = float("nan")

    plain = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "plain")
    gold = gold_for(plain)
    model = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model", change=diverge)
    error = fail("export", f"model={model}", f"gold.path={gold}")
    assert "model.onnx is not kept: its logits differ from torch's by up to inf" in error
    assert files_in(model / "onnx") == set()


def test_what_an_export_needs_is_asked_for(model: Path, tmp_path: Path) -> None:
    assert "is not a model" in fail("export", f"model={tmp_path}", f"out={tmp_path / 'out'}")
    assert "documents=0" in fail("export", f"model={model}", "documents=0")
    assert "tolerance.f1=much" in fail("export", f"model={model}", "tolerance.f1=much")
    assert "runtime=fast: choose torch, onnx, int8" in fail(
        "predict", f"model={model}", "runtime=fast", "text=EGFR", f"out={tmp_path / 'out'}"
    )
