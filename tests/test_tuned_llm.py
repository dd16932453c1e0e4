"""The whole path of a tuned LLM: tuned, run in process and behind a real server, labelling, grounded and scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.document_files import read_documents
from tests.stages import succeed
from tests.transformers_server import TransformersServer
from tests.tuning.learning import Learnt

pytestmark = pytest.mark.slow
IN_PROCESS = ("llm=transformers", "llm.device=cpu", "llm.precision=fp32", "llm.max_output_tokens=256")
GREEDY = ("llm.temperature=0", "llm.top_p=null", "llm.max_output_tokens=256")


def labelled(learnt: Learnt, out: Path, *llm: str) -> dict[str, set[tuple[int, int, int, str]]]:
    """The spans of the documents that were learnt, as a model labels them."""
    corpus = ("corpus=jsonl", f"corpus.path={learnt.work.file}")
    succeed("annotate", *learnt.work.common, *corpus, f"out={out}", *llm)
    return {document.id: document.places for document in read_documents(out / "documents.jsonl")}


def answers_in(folder: Path) -> list[str]:
    """The answers that a run kept, as they came."""
    kept = folder / "answers.jsonl"
    succeed("answers", f"store.path={folder / 'answers.sqlite'}", f"export_to={kept}", f"out={folder}")
    records = map(json.loads, kept.read_text(encoding="utf-8").splitlines())
    return [record["text"] for record in records if record["kind"] == "answer"]


def compared(learnt: Learnt, folder: Path, *names: str) -> dict[str, dict[str, Any]]:
    """What evaluate says of the runs, against what was taught."""
    systems = ", ".join(f"{name}: {folder / name}" for name in names)
    gold = f"gold.path={learnt.work.file}"
    conf = learnt.work.common[:-1]  # evaluate has no prompt
    succeed("evaluate", *conf, gold, f"systems={{{systems}}}", f"out={folder / 'evaluate'}")
    found = json.loads((folder / "evaluate/systems.json").read_text())["systems"]
    return {each["name"]: each for each in found}


def test_a_tuned_model_says_what_it_was_taught_in_process_and_behind_a_server(
    learnt_llama: Learnt, tmp_path: Path
) -> None:
    free = labelled(
        learnt_llama, tmp_path / "free", *IN_PROCESS, f"llm.model={learnt_llama.model}", "llm.structured=false"
    )
    forced = labelled(learnt_llama, tmp_path / "forced", *IN_PROCESS, f"llm.model={learnt_llama.model}")
    with TransformersServer(learnt_llama.model) as server:
        served = labelled(
            learnt_llama, tmp_path / "served", "llm=local", f"llm.model={server.model}", f"llm.base_url={server.url}",
            "llm.structured=false", *GREEDY,
        )  # fmt: skip
    assert free == served == forced
    systems = compared(learnt_llama, tmp_path, "free", "forced", "served")
    taught = {record.answer for record in learnt_llama.records}
    for name, system in systems.items():
        assert system["figures"]["mean_f1"] > 0.95
        assert system["figures"]["micro_f1"] > 0.95
        assert (system["failed"], system["unreadable"], system["documents"]) == (0, 0, 30)
        assert system["documents_per_second"] > 0
        said = answers_in(tmp_path / name)
        assert sum(answer in taught for answer in said) >= 28
        assert all(json.dumps(json.loads(answer), ensure_ascii=False) == answer for answer in said)
        assert not json.loads((tmp_path / name / "report.json").read_text())["answer_faults"]


def test_a_tuned_model_from_sequence_to_sequence_says_what_it_was_taught(learnt_t5: Learnt, tmp_path: Path) -> None:
    labelled(learnt_t5, tmp_path / "free", *IN_PROCESS, f"llm.model={learnt_t5.model}", "llm.structured=false")
    (system,) = compared(learnt_t5, tmp_path, "free").values()
    assert system["figures"]["mean_f1"] > 0.95
    assert (system["failed"], system["unreadable"]) == (0, 0)
    taught = {record.answer for record in learnt_t5.records}
    assert sum(answer in taught for answer in answers_in(tmp_path / "free")) >= 28
