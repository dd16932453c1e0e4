"""Tuning as a user runs it: from random weights to answers, by adapters, after kill -9, in two processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kazu_distill.base_llm.generation import Generator
from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.llm.protocol import Sampling
from kazu_distill.tuning.records import ChatRecord, read_records
from tests.stages import REPOSITORY, has_checkpoint, kill_when, succeed
from tests.tuning.learning import ALONE, BY_HEART, Learnt, Work, documents, work_in

pytestmark = pytest.mark.slow


def said_to(records: list[ChatRecord], model: BaseLLM) -> list[str]:
    """What a model answers to the questions of records."""
    described = model.describe()
    prompts = [described.form.prompt(record.request) for record in records]
    generated = Generator(described, described.load()).generate(prompts, Sampling(0.0, None, 200))
    return [each.text for each in generated]


def on_cpu(name: Path | str, adapter: Path | None = None) -> BaseLLM:
    return BaseLLM(name=str(name), adapter=str(adapter) if adapter else None, device="cpu", precision="fp32")


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_a_model_learns_documents_by_heart_and_says_exactly_what_it_was_taught(
    kind: str, request: pytest.FixtureRequest
) -> None:
    learnt: Learnt = request.getfixturevalue(f"learnt_{kind}")
    metrics = json.loads((learnt.out / "metrics.json").read_text())
    assert metrics["mean_f1"] > 0.95, learnt.run.printed
    assert metrics["gold_entities"] == sum(len(each.spans) for each in documents(30))
    assert "the right answers, read back: mean F1 100.0" in learnt.run.printed
    said = said_to(learnt.records, on_cpu(learnt.model))
    exact = sum(answer == record.answer for answer, record in zip(said, learnt.records, strict=True))
    assert exact >= 28
    assert ("added to the vocabulary" in learnt.run.printed) == (kind == "t5")
    assert "\n" in "".join(record.request.user for record in learnt.records)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Documents that no model has learnt."""
    return work_in(tmp_path_factory.mktemp("second"), documents(12, seed=2))


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_an_adapter_learns_what_its_base_does_not_know_and_merged_it_says_the_same(
    kind: str, learnt_llama: Learnt, second: Work, tmp_path: Path
) -> None:
    records = list(read_records(second.folder / "instruct/openai/eval.jsonl"))
    run = second.tune(
        tmp_path / "run", learnt_llama.model, f"adapter.kind={kind}", "adapter.rank=16", "merge=true", *BY_HEART,
        "base_llm.tuning.learning_rate=5e-3", "trainer.arguments.num_train_epochs=60",
    )  # fmt: skip
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["mean_f1"] > 0.95, run.printed
    base, adapter, merged = learnt_llama.model, tmp_path / "run/adapter", tmp_path / "run/merged"
    said = said_to(records, on_cpu(base, adapter))
    assert said == said_to(records, on_cpu(merged))
    assert said != said_to(records, on_cpu(base))
    assert (adapter / "adapter_model.safetensors").stat().st_size < (merged / "model.safetensors").stat().st_size
    for folder in (adapter, merged):
        assert not list(folder.glob("*.bin")), "nothing is pickled"
        assert "Strict matching" in (folder / "README.md").read_text()
        names = {path.name for path in folder.iterdir()}
        assert {"training.yaml", "metrics.json", "tokenizer.json", "generation_config.json"} <= names
    assert "--enable-lora" in (adapter / "README.md").read_text() or kind == "dora"
    assert not (tmp_path / "run/checkpoints").exists()


def lasting(work: Work, out: Path, *settings: str) -> list[str]:
    """Arguments of a run with several micro-batches an epoch and a checkpoint after each two steps."""
    return work.arguments(
        out, work.model("llama", hidden=32), "base_llm.tuning.gradient_accumulation_steps=1",
        "base_llm.tuning.batch_tokens=300", "base_llm.tuning.gradient_checkpointing=false",
        "trainer.arguments.num_train_epochs=3", "trainer.arguments.eval_strategy=steps",
        "+trainer.arguments.eval_steps=2", "eval_documents=3", "trainer.early_stopping.patience=99", *settings,
    )  # fmt: skip


def adapter_weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "adapter/adapter_model.safetensors")


def test_after_kill_9_the_same_command_goes_on_to_the_same_weights(second: Work, tmp_path: Path) -> None:
    out = tmp_path / "run"  # one folder for both, since Hydra's configuration is a part of what is compared
    command = lasting(second, out)
    runs: list[tuple[dict[str, torch.Tensor], dict[str, bytes]]] = []
    for killed in (False, True):
        shutil.rmtree(out, ignore_errors=True)
        if killed:
            kill_when(lambda: has_checkpoint(out), "tune", *command)
            assert not (out / "adapter").exists()
        run = succeed("tune", *command, environment=ALONE)
        assert ("going on from" in run.printed) == killed
        runs.append((adapter_weights(out), {path.name: path.read_bytes() for path in (out / "evaluations").iterdir()}))
    (whole, evaluations), (again, evaluations_again) = runs
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert evaluations == evaluations_again


def test_two_processes_learn_what_one_learns_with_two_micro_batches_a_step(second: Work, tmp_path: Path) -> None:
    settings = ["adapter.dropout=0", "+trainer.arguments.optim=sgd", "trainer.arguments.max_grad_norm=0"]
    settings += ["base_llm.tuning.learning_rate=0.5", "trainer.arguments.logging_steps=1"]
    alone = lasting(second, tmp_path / "alone", *settings, "base_llm.tuning.gradient_accumulation_steps=2")
    succeed("tune", *alone, environment=ALONE)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2",
         "-m", "kazu_distill.tune", *lasting(second, tmp_path / "pair", *settings)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, env=os.environ | ALONE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 2:") == 1, "only the first process prints"
    one, two = adapter_weights(tmp_path / "alone"), adapter_weights(tmp_path / "pair")
    assert all(torch.allclose(one[name], two[name], rtol=0, atol=1e-5) for name in one)
    assert max(weights.abs().max().item() for name, weights in one.items() if "lora_B" in name) > 1e-3, "it has learnt"
    figures = [
        {path.name: json.loads(path.read_text())["mean_f1"] for path in (tmp_path / run / "evaluations").iterdir()}
        for run in ("alone", "pair")
    ]
    assert figures[0] == figures[1]
