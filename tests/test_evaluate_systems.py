"""The evaluate stage sets LLMs and taggers beside each other, by the folders that their runs left."""

from __future__ import annotations

import json
from pathlib import Path

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section
from kazu_distill.schema import Schema
from tests.annotating import ANSWERS, TEXTS, arguments, known
from tests.llm_server import LLMServer
from tests.stages import fail, run_stage, succeed
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import save_tagger

CLASSES = Schema(name="test", classes={"Chemical": {}, "Disease": {}})


def test_a_run_its_repetition_out_of_the_store_one_with_failures_and_a_tagger(tmp_path: Path) -> None:
    priced = ["llm.price.input_per_million=1", "llm.price.output_per_million=2"]
    with LLMServer(known(ANSWERS)) as server:
        for name in ("once", "again"):
            succeed("annotate", *arguments(tmp_path, server, "local", *priced, f"store.path={tmp_path}/answers.sqlite",
                                           f"out={tmp_path / name}"))  # fmt: skip
    broken = known(ANSWERS) | {TEXTS["both"]: "I cannot say."}
    with LLMServer(broken, otherwise="I cannot say.") as server:
        run = run_stage("annotate", *arguments(tmp_path, server, "local", f"out={tmp_path / 'broken'}"))
        assert run.status == 3
    gold = tmp_path / "gold.jsonl"
    documents = list(read_documents(tmp_path / "once/documents.jsonl"))
    write_documents(gold, documents[::-1])
    model = save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model", schema=CLASSES)
    succeed("evaluate", f"model={model}", f"gold.path={gold}", f"out={tmp_path / 'tagger'}", "device=cpu")

    systems = ", ".join(f"{name}: {tmp_path / name}" for name in ("once", "again", "broken", "tagger"))
    given = ["evaluate", "schema=bc5cdr", f"gold.path={gold}", f"out={tmp_path / 'out'}", "price_per_hour=2"]
    run = succeed(*given, f"systems={{{systems}}}")
    found = {each["name"]: each for each in json.loads((tmp_path / "out/systems.json").read_text())["systems"]}
    assert [found[name]["figures"]["micro_f1"] for name in ("once", "again")] == [1.0, 1.0]
    assert found["broken"]["failed"] == 1
    assert found["broken"]["unreadable"] == 3, "an answer, and two more after it was told what is wrong"
    assert found["once"]["ungrounded"] == 1
    assert found["once"]["mentions"] == sum(map(len, ANSWERS.values()))
    assert found["once"]["documents_per_second"] > 0
    assert found["again"]["documents_per_second"] is None
    assert found["once"]["cost_per_million"] == found["again"]["cost_per_million"] > 0
    assert found["broken"]["cost_per_million"] == 2 * found["broken"]["hours_per_million"]
    assert found["tagger"]["cost_per_million"] == 2 * found["tagger"]["hours_per_million"] > 0
    assert "came out of the store, so its speed is not known" in run.printed
    assert "4 ways of labelling" in (tmp_path / "out/systems.html").read_text(encoding="utf-8")
    assert "| `broken` |" in (tmp_path / "out/systems.md").read_text()

    write_documents(gold, [*documents, Document("new", (Section("abstract", "New."),))])
    assert 'no prediction for 1 of 9 gold documents ("new")' in fail(*given, f"systems={{{systems}}}")
    assert "give names and folders" in fail(*given, "systems=runs")
    assert "no results are here" in fail(*given, f"systems={{x: {tmp_path / 'encoder'}}}")
