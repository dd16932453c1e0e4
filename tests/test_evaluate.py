"""The evaluate stage, on predictions that are given."""

from __future__ import annotations

import json
from pathlib import Path

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from tests.stages import fail, succeed

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


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", RIGHT, RIGHT)
    fewer = write(tmp_path / "fewer.jsonl", RIGHT)
    given = ["evaluate", "schema=bc5cdr", f"gold.path={gold}", f"out={tmp_path / 'out'}"]
    assert "two files of predictions are compared: compare=[a.jsonl,b.jsonl]" in fail(*given, f"compare=[{gold}]")
    assert 'document "d1" has no prediction' in fail(*given, f"compare=[{gold},{fewer}]")
    assert "resamples=0: give a whole number above 0" in fail(*given, f"predicted.path={gold}", "resamples=0")
