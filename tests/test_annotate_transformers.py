"""A corpus labelled by an open LLM in process, from the command to the files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.annotating import TEXTS, corpus_of, found_in, lines_of
from tests.base_llm.tiny import tiny_llama, tiny_t5
from tests.stages import REPOSITORY, fail, press_ctrl_c, run_stage, start_for_ctrl_c, succeed

_SEEN = [*TEXTS.values(), '{"entities": [{"entity_match": "EGFR", "entity_class": "Chemical"}]}'] * 4
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("models") / "tiny-llama", _SEEN, positions=4096)


def arguments(folder: Path, model: Path, *more: str, **texts: str) -> list[str]:
    return [
        "corpus=jsonl", f"corpus.path={corpus_of(folder, texts or TEXTS)}", "schema=bc5cdr", f"out={folder / 'out'}",
        "llm=transformers", f"llm.model={model}", "llm.device=cpu", "llm.precision=fp32", *more,
    ]  # fmt: skip


def test_a_corpus_is_labelled_and_no_question_is_asked_twice(tiny: Path, tmp_path: Path) -> None:
    command = arguments(tmp_path, tiny, "llm.max_output_tokens=400", "llm.temperature=0.7")
    first = succeed("annotate", *command, environment=_ONE_THREAD)
    assert "tiny-llama needs about" in " ".join(first.printed.split())
    assert "6 requests asked, 0 answers from the store" in first.printed
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["voters"]["tiny-llama"]["output_tokens"] > 0
    assert report["documents"] + report["failed_documents"] == len(TEXTS)
    labelled = found_in(tmp_path)
    assert set(labelled) | {line["document"] for line in lines_of(tmp_path / "out/failed.jsonl")} == set(TEXTS)
    # What was answered with forced JSON is read, or was cut by llm.max_output_tokens; an empty string may stand in it.
    assert set(report["failures"]) <= {"stopped: length"}
    assert set(report["answer_faults"]) <= {"no entity_match"}
    answered = (tmp_path / "out/documents.jsonl").read_bytes()
    again = succeed("annotate", *command, environment=_ONE_THREAD)
    assert "0 requests asked, 6 answers from the store" in again.printed
    assert (tmp_path / "out/documents.jsonl").read_bytes() == answered


def test_a_plan_loads_no_weights(tiny: Path, tmp_path: Path) -> None:
    (empty := tmp_path / "empty").mkdir()
    for file in tiny.iterdir():
        if file.suffix != ".safetensors":
            (empty / file.name).write_bytes(file.read_bytes())
    run = succeed("annotate", *arguments(tmp_path, empty, "plan=true"))
    assert "nothing was asked" in run.printed
    assert "needs about" not in run.printed


def test_a_chunk_that_leaves_no_room_for_the_answer_is_asked_about_in_halves(tmp_path: Path) -> None:
    model = tiny_llama(tmp_path / "short", _SEEN, positions=1900)
    long = " ".join(f"Patient {n} was given ibuprofen." for n in range(40))
    run = run_stage(
        "annotate", *arguments(tmp_path, model, "llm.max_output_tokens=64", long=long),
        "prompt.instructions=$classes", "llm.retry.invalid_answer=0", environment=_ONE_THREAD,
    )  # fmt: skip

    assert "Traceback" not in run.errors
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["voters"]["short"]["asked"] >= 2
    assert "too long" not in report["failures"]


def test_what_the_model_cannot_write_is_said_in_a_line(tmp_path: Path) -> None:
    without = tiny_t5(tmp_path / "t5", _SEEN)
    said = fail("annotate", *arguments(tmp_path, without), environment=_ONE_THREAD)
    assert "cannot write JSON: set llm.structured=false" in said


def test_ctrl_c_ends_it_between_two_tokens(tiny: Path, tmp_path: Path) -> None:
    command = arguments(tmp_path, tiny, "llm.max_output_tokens=3000", "llm.structured=false", "llm.batch_tokens=1")
    child = start_for_ctrl_c("annotate", *command, environment=os.environ | _ONE_THREAD)
    log, deadline = tmp_path / "out/answers.sqlite-wal", time.monotonic() + 120
    while not (log.is_file() and log.stat().st_size > 30_000) and time.monotonic() < deadline:  # one is answered
        assert child.poll() is None
        time.sleep(0.05)
    errors = press_ctrl_c(child)
    assert child.returncode == 1
    assert errors.strip().splitlines()[-1].startswith("Stopped before the end. Run the same command again")
    assert "Traceback" not in errors


def test_another_provider_needs_no_torch() -> None:
    code = (
        "import sys, kazu_distill.annotate, kazu_distill.llm.openai, kazu_distill.llm.gemini\n"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
