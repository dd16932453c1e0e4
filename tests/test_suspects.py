"""Suspected label errors as a user asks for them: whole, killed and run again, and with what cannot work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Span
from tests.stages import fail, has_checkpoint, kill_when, succeed
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import DOCUMENTS, save_tagger
from tests.tagger.training_runs import document, schema_file

GENES = ("EGFR", "TP53", "KRAS")
DISEASES = ("gout", "asthma", "eczema")
WRONG = ("too much", "too little")  # a document in which a common word is labelled, and one without its label


def corpus() -> list[Document]:
    """Documents that a small encoder learns in a few steps, and two that are labelled otherwise than all others."""
    labels = [*((gene, "gene") for gene in GENES), *((disease, "disease, disorder") for disease in DISEASES)]
    right = [
        document(f"{gene} {disease} {number}", f"In study {number} we saw {gene} and {disease} there.", *labels)
        for gene in GENES
        for disease in DISEASES
        for number in range(3)
    ]
    wrong = [document(WRONG[0], "In study 7 we saw EGFR there.", ("EGFR|saw", "gene")),
             document(WRONG[1], "In study 8 we saw KRAS and gout there.", labels[3])]  # fmt: skip
    return [*right, *wrong]


def command(folder: Path, out: Path, *settings: str) -> list[str]:
    """Arguments of a run on these documents with a tiny encoder."""
    if schema_file(folder / "conf"):
        write_documents(folder / "silver.jsonl", corpus())
        tiny_bert(folder / "encoder")
    return [
        "--config-path", str(folder / "conf"), "schema=tiny", f"corpus.path={folder / 'silver.jsonl'}", f"out={out}",
        f"encoder.name={folder / 'encoder'}", "encoder.learning_rate=0.01", "device=cpu", "trainer.precision=fp32",
        "tagger.max_length=32", "tagger.stride=8", "trainer.batch_tokens=100", "trainer.loss.focus=0", "folds=2",
        "select=0.25", *settings,
    ]  # fmt: skip


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_wrong_labels_come_first_and_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    epochs = "trainer.arguments.num_train_epochs=14"
    run = succeed("suspects", *command(tmp_path, tmp_path / "whole", epochs))
    listed = lines(tmp_path / "whole/suspects.jsonl")
    assert [each["rank"] for each in listed] == list(range(1, len(listed) + 1))
    assert {each["document"] for each in listed[:2]} == set(WRONG)
    assert {(each["kind"], each["text"]) for each in listed[:2]} == {("doubted", "saw"), ("missing", "KRAS")}
    reviewed = list(read_documents(tmp_path / "whole/documents.jsonl"))
    assert {each.id for each in reviewed[:2]} == set(WRONG)
    silver = {each.id: each for each in corpus()}
    assert {each.id: each.sections for each in reviewed} == {name: each.sections for name, each in silver.items()}
    assert f"{len(listed):,} suspects beside" in run.printed

    killed = command(tmp_path, tmp_path / "killed", epochs)
    kill_when(lambda: has_checkpoint(tmp_path / "killed/folds/2"), "suspects", *killed)
    first = tmp_path / "killed/folds/1/found.jsonl"
    before = first.stat().st_mtime_ns
    again = succeed("suspects", *killed).printed
    assert "fold 1 of 2: judged by an earlier run" in again
    assert "going on from checkpoint-" in again
    assert first.stat().st_mtime_ns == before
    for name in ("suspects.jsonl", "documents.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    shown = succeed("suspects", *command(tmp_path, tmp_path / "whole", epochs, "show=0")).printed
    assert "fold 2 of 2: judged by an earlier run" in shown
    assert "epoch" not in shown
    other = succeed("suspects", *command(tmp_path, tmp_path / "whole", "trainer.arguments.num_train_epochs=1")).printed
    assert "judged by an earlier run" not in other


def test_a_trained_tagger_judges_documents_that_it_has_not_learnt(tmp_path: Path) -> None:
    model = save_tagger(tiny_bert(tmp_path / "model_encoder"), tmp_path / "model")
    labelled = [each.with_spans([(Span(0, 1, "gene"),) if section.text else () for section in each.sections])
                for each in DOCUMENTS]  # fmt: skip
    write_documents(tmp_path / "silver.jsonl", labelled)
    where = [f"corpus.path={tmp_path / 'silver.jsonl'}", f"out={tmp_path / 'out'}", "device=cpu"]
    succeed("suspects", *where, f"model={model}")
    reviewed = list(read_documents(tmp_path / "out/documents.jsonl"))
    assert {each.id: each.sections for each in reviewed} == {each.id: each.sections for each in labelled}
    assert sum(len(own) for each in reviewed for own in each.metadata["suspects"]["sections"]) > 3
    assert not (tmp_path / "out/folds").exists()


def test_what_cannot_be_suspected(tmp_path: Path) -> None:
    few, unlabelled = (tmp_path / f"{name}.jsonl" for name in ("few", "unlabelled"))
    given = command(tmp_path, tmp_path / "out")
    write_documents(few, corpus()[:1])
    write_documents(unlabelled, [each.without_spans() for each in corpus()])
    assert "1 documents cannot be dealt into 2 folds" in fail("suspects", *given, f"corpus.path={few}")
    assert "has no labels: there is nothing to suspect" in fail("suspects", *given, f"corpus.path={unlabelled}")
    assert "folds=1: give a whole number above 1" in fail("suspects", *given, "folds=1")
    # Most documents say nothing, so that those that choose the best epoch may have no label.
    write_documents(few, [corpus()[0], *(each.without_spans() for each in corpus()[1:])])
    assert "have no label; give more documents, or a larger share" in fail("suspects", *given, f"corpus.path={few}")
