"""Training on documents that people labelled beside those of an LLM."""

from __future__ import annotations

from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents, write_documents
from tests.stages import fail, succeed
from tests.tagger.training_runs import DOCUMENTS, document, places
from tests.test_train_runs import command

REVIEWED = document("a", DOCUMENTS[0].sections[0].text, ("gout", "disease, disorder"))
OTHER = document("new", "TP53 was looked at by people only.", ("TP53", "gene"))
HELD_OUT = document("held out", "Of this document people know more.", ("document", "gene"))


def arguments(folder: Path) -> list[str]:
    made = command(folder, folder / "out")
    write_documents(folder / "eval.jsonl", [HELD_OUT, document("f", "Is EGFR known? Yes.", ("EGFR", "gene"))])
    return [*made, f"gold={folder / 'gold.jsonl'}", "trainer.arguments.num_train_epochs=1"]


@pytest.mark.slow
def test_peoples_documents_take_the_place_of_the_silver_ones(tmp_path: Path) -> None:
    write_documents(tmp_path / "gold.jsonl", [REVIEWED, OTHER, HELD_OUT])
    done = succeed("train", *arguments(tmp_path))
    assert "gold: 2 documents with people's labels" in done.printed
    assert "gold: 1 left out" in done.printed
    assert "train: 6 documents" in done.printed
    learnt = {each.id: each for each in read_documents(tmp_path / "out/train.jsonl")}
    assert learnt.keys() == {"a", "b", "c", "d", "e", "new"}
    assert places(learnt["a"]) == places(REVIEWED) != places(DOCUMENTS[0])
    assert (tmp_path / "out/model/model.safetensors").is_file()


def test_gold_of_held_out_documents_alone_is_refused(tmp_path: Path) -> None:
    write_documents(tmp_path / "gold.jsonl", [HELD_OUT])
    assert "has no document to learn" in fail("train", *arguments(tmp_path))
