"""From free types to classes, as a user does it: annotate openly, propose, and annotate by the proposal for nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kazu_distill.document_files import write_documents
from tests.annotating import answer, arguments, found_in
from tests.llm_server import LLMServer
from tests.proposing.typed import typed
from tests.stages import fail, run_stage, succeed

TEXTS = {
    "1": "Aspirin and ibuprofen ease headache.",
    "2": "Ibuprofen and aspirin. Headache and fever.",
    "3": "Fever, headache; aspirin or ibuprofen. ELISA.",
    "4": "Nothing here.",
}
ANSWERS = {
    "1": [("Aspirin", "Drug"), ("ibuprofen", "drug"), ("headache", "symptom")],
    "2": [("Ibuprofen", "medication"), ("aspirin", "medication"), ("Headache", "symptom"), ("fever", "symptoms")],
    "3": [("Fever", "disease"), ("headache", "disease"), ("aspirin", "drug"), ("ELISA", "test")],
    "4": [],
}  # fmt: skip


def test_the_answers_to_an_open_question_serve_the_classes_that_are_made_of_them(tmp_path: Path) -> None:
    said = {TEXTS[key]: answer(mentions) for key, mentions in ANSWERS.items()}
    said[TEXTS["4"]] = "There is nothing."  # which is asked for again

    def answer_of(_: str, user: str) -> str:
        return said.get(user, answer([]))

    with LLMServer(answer_of) as server:
        command = [*arguments(tmp_path, server, **TEXTS), "schema=open"]
        succeed("annotate", *command)
        asked = len(server.received)
        assert "Find every mention" in server.received[0].system
        assert "Chemical" not in server.received[0].system
        free = found_in(tmp_path)
        assert free["1"] == [("Aspirin", "drug"), ("ibuprofen", "drug"), ("headache", "symptom")]
        assert free["3"][-1] == ("ELISA", "test")
        report = json.loads((tmp_path / "out/report.json").read_text())
        assert report["spans_per_class"]["medication"] == 2

        documents, out = tmp_path / "out/documents.jsonl", tmp_path / "proposed"
        proposed = succeed("schema", f"documents={documents}", f"out={out}", "least=2", "distance=0.5", "name=mine")
        assert f"--config-path {out}/conf schema=mine store.path={tmp_path}/out/answers.sqlite" in proposed.printed
        assert "drug, medication" in proposed.printed

        mapped = ["--config-path", str(out / "conf"), *command[:-1], "schema=mine", "llm.offline=true"]
        run = succeed("annotate", *mapped)
        assert len(server.received) == asked
    assert "0 requests asked" in run.printed
    assert "class not in the schema: 1, such as: ELISA (test)" in run.printed
    found = found_in(tmp_path)
    assert found["2"] == [("Ibuprofen", "drug"), ("aspirin", "drug"), ("Headache", "symptom"), ("fever", "symptom")]
    assert {label for spans in found.values() for _, label in spans} == {"drug", "symptom"}


def test_what_fails_under_free_types_can_be_tried_again(tmp_path: Path) -> None:
    said = dict.fromkeys(TEXTS.values(), "no list at all") | {TEXTS["1"]: answer(ANSWERS["1"])}
    with LLMServer(lambda _, user: said.get(user, "no list at all")) as server:
        command = [*arguments(tmp_path, server, **TEXTS), "schema=open", "max_failed_share=1"]
        assert run_stage("annotate", *command).status == 3
        failed = [json.loads(line) for line in (tmp_path / "out/failed.jsonl").read_text().splitlines()]
        assert [(each["document_id"], each["asked"]) for each in failed] == [("2", []), ("3", []), ("4", [])]
        said.update({TEXTS[key]: answer(ANSWERS[key]) for key in TEXTS})
        succeed("annotate", *command, "retry_failed=true")
    assert found_in(tmp_path)["3"][-1] == ("ELISA", "test")


def test_edits_are_not_overwritten_and_mistakes_are_named(tmp_path: Path) -> None:
    documents = tmp_path / "documents.jsonl"
    write_documents(documents, [typed(("aspirin", "drug"), ("Aspirin", "medication"))])
    command = [f"documents={documents}", f"out={tmp_path}/out", "least=1", "~embedding"]
    succeed("schema", *command)
    assert "perhaps with your edits" in fail("schema", *command)
    assert "no type has so many spans" in fail("schema", *command, "name=other", "least=9")
    assert "is the name of a file" in fail("schema", *command, "name=../other")
    write_documents(documents, [typed()])
    assert "have no labels" in fail("schema", *command, "name=other")


@pytest.mark.parametrize("stage", ["train", "evaluate", "suspects"])
def test_stages_that_need_classes_say_how_to_get_them(stage: str, tmp_path: Path) -> None:
    documents = tmp_path / "documents.jsonl"
    write_documents(documents, [typed(("aspirin", "drug"))])
    files = {
        "train": [f"data={tmp_path}"],
        "evaluate": [f"gold.path={documents}", f"predicted.path={documents}"],
        "suspects": [f"corpus.path={documents}"],
    }
    message = fail(stage, "schema=open", f"out={tmp_path}/out", *files[stage])
    assert "python -m kazu_distill.schema documents=" in message
