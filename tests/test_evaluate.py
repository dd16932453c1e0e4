"""The evaluate stage, on predictions that are given."""

from __future__ import annotations

import json
from pathlib import Path

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.tagger.tagger import Tagger
from tests.stages import fail, succeed
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import DOCUMENTS, save_tagger

TEXT = "Aspirin caused acute gastric bleeding."
RIGHT = (Span(0, 7, "Chemical"), Span(15, 37, "Disease"))
SHORT = (Span(0, 7, "Chemical"), Span(21, 37, "Disease"))


def write(path: Path, *spans: tuple[Span, ...]) -> Path:
    """A file of documents, one for each tuple of spans."""
    write_documents(
        path, [Document(f"d{number}", (Section("abstract", TEXT, own),)) for number, own in enumerate(spans)]
    )
    return path


def test_all_that_is_written_and_printed(tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", *[RIGHT] * 4)
    predicted = write(tmp_path / "predicted.jsonl", RIGHT, SHORT, (), RIGHT)
    train = write(tmp_path / "train.jsonl", RIGHT[:1])
    run = succeed(
        "evaluate", "schema=bc5cdr", f"gold.path={gold}", f"predicted.path={predicted}", f"train={train}",
        "kazu_rule=true", f"out={tmp_path / 'out'}",
    )  # fmt: skip
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert metrics["micro_f1"] == 10 / 14
    assert metrics["intervals_95"]["micro_f1"]["low"] < 10 / 14 < metrics["intervals_95"]["micro_f1"]["high"]
    assert metrics["micro_by_rule"]["relaxed"]["f1"] == 12 / 14
    assert metrics["few"] == ["Chemical", "Disease"]
    assert metrics["kinds"]["Disease"]["too short"] == 1
    assert metrics["confusion"][0] == {"gold": "Chemical", "predicted": "Chemical", "count": 3}
    assert metrics["breakdown"]["mention in training"]["not seen in training"]["gold"] == 4
    assert metrics["kazu"]["mean_f1"] == 1.0
    mistakes = [json.loads(line) for line in (tmp_path / "out/errors.jsonl").read_text().splitlines()]
    assert [(each["document"], each["kind"]) for each in mistakes] == [
        ("d1", "too short"), ("d2", "missed"), ("d2", "missed"),
    ]  # fmt: skip
    assert "by Kazu's rule: mean F1 100.0. It takes any overlap for a hit" in run.printed
    assert "correct 5, too short 1, missed 2" in run.printed
    assert "* fewer than 30 in gold" in run.printed


def test_two_predictions_side_by_side(tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", *[RIGHT] * 4)
    first = write(tmp_path / "first.jsonl", SHORT, SHORT, RIGHT, ())
    second = write(tmp_path / "second.jsonl", RIGHT, RIGHT, SHORT, ())
    given = ["evaluate", "schema=bc5cdr", f"gold.path={gold}", f"out={tmp_path / 'out'}"]
    run = succeed(*given, f"compare=[{first},{second}]")
    comparison = json.loads((tmp_path / "out/comparison.json").read_text())
    assert comparison["figures"]["Disease_f1"]["first"] == 2 / 7
    assert comparison["figures"]["Disease_f1"]["second"] == 4 / 7
    assert comparison["changes"] == [
        {"document": "d0", "first": [1, 1, 1], "second": [2, 0, 0]},
        {"document": "d1", "first": [1, 1, 1], "second": [2, 0, 0]},
        {"document": "d2", "first": [2, 0, 0], "second": [1, 1, 1]},
    ]
    assert "predictions differ in 3 of 4 documents; the second has fewer errors in 2, more in 1" in run.printed
    assert "most improved: d0, d1" in run.printed
    assert "most worsened: d2" in run.printed
    assert "+28.6" in run.printed
    page = (tmp_path / "out/comparison.html").read_text(encoding="utf-8")
    assert page.count("now found") == 2 == page.count("error gone")
    assert "no longer found" in page
    assert "The second is better: 2 documents" in page


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", RIGHT, RIGHT)
    fewer = write(tmp_path / "fewer.jsonl", RIGHT)
    given = ["evaluate", "schema=bc5cdr", f"gold.path={gold}", f"out={tmp_path / 'out'}"]
    assert "two files of predictions are compared: compare=[a.jsonl,b.jsonl]" in fail(*given, f"compare=[{gold}]")
    assert 'document "d1" has no prediction' in fail(*given, f"compare=[{gold},{fewer}]")
    assert "resamples=0: give a whole number above 0" in fail(*given, f"predicted.path={gold}", "resamples=0")


def test_a_sweep_of_models_leaves_each_ones_results_and_one_comparison(tmp_path: Path) -> None:
    models = [
        save_tagger(tiny_bert(tmp_path / f"encoder {units}", units=units), tmp_path / f"model{units}")
        for units in (32, 64)
    ]
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, Tagger.from_pretrained(models[1], device="cpu").label(DOCUMENTS))
    out = tmp_path / "out"
    swept = f"model={models[0]},{models[1]}"
    run = succeed("evaluate", "-m", swept, f"gold.path={gold}", f"out={out}", "device=cpu", "price_per_hour=2")
    figures = [json.loads((out / name / "model.json").read_text()) for name in ("0", "1")]
    assert [each["model"] for each in figures] == [str(model) for model in models]
    assert figures[0]["parameters"] < figures[1]["parameters"]
    for model, each in zip(models, figures, strict=True):
        assert each["bytes"] == (model / "model.safetensors").stat().st_size
        assert each["cost_per_million_documents_usd"] == 2 * each["hours_per_million_documents"] > 0
        assert (each["documents"], each["is_rough"]) == (len(DOCUMENTS), True)
        assert "torch, cpu" in each["machine"]
    assert json.loads((out / "1/metrics.json").read_text())["micro_f1"] == 1.0
    assert f"model: {models[0]}" in (out / "0/config.yaml").read_text()
    assert f"out: {out / '1'}" in (out / "1/config.yaml").read_text()
    table = [line for line in (out / "comparison.md").read_text().splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in table] == [str(models[1]), str(models[0])]
    assert "Quality against time" in (out / "comparison.html").read_text()
    assert str(out / "comparison.md") in run.printed
    # A second sweep into the same folder, which is ended by its second job: what is done is compared.
    broken = fail("evaluate", "-m", f"model={models[1]},{tmp_path / 'none'}", f"gold.path={gold}", f"out={out}")
    assert "is not a model of kazu_distill.train" in broken
    table = [line for line in (out / "comparison.md").read_text().splitlines() if line.startswith("| `")]
    assert len(table) == 1


def test_the_threshold_in_use_is_on_the_curve_of_the_page(tmp_path: Path) -> None:
    model = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model")
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, [document.with_spans([(Span(0, 4, "gene"),)]) for document in DOCUMENTS])
    only = tmp_path / "only.jsonl"
    write_documents(only, DOCUMENTS[:2])
    run = succeed("evaluate", f"model={model}", f"gold.path={gold}", f"out={tmp_path / 'out'}", f"only={only}")
    assert "gold: 2 of 3 documents are in" in run.printed
    assert json.loads((tmp_path / "out/metrics.json").read_text())["gold_entities"] == 2
    assert "too little to rely on" in run.printed
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "threshold 0.50: precision" in page
    assert "at thresholds from 0.99 to 0.01" in page
    assert "price_per_hour=0: give a number above 0" in fail(
        "evaluate", f"model={model}", f"gold.path={gold}", f"out={tmp_path / 'out'}", "price_per_hour=0"
    )
