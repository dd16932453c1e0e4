"""Training as a user runs it: killed and started again, and as several processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from kazu_distill.document_files import write_documents
from tests.stages import REPOSITORY, has_checkpoint, kill_when, succeed
from tests.tagger.encoders import tiny_bert
from tests.tagger.training_runs import DOCUMENTS, schema_file

pytestmark = pytest.mark.slow
SETTINGS = [
    "label_studio=off", "device=cpu", "trainer.precision=fp32", "tagger.max_length=32", "tagger.stride=8",
    "trainer.arguments.num_train_epochs=6", "encoder.learning_rate=0.01",
]  # fmt: skip


def command(folder: Path, out: Path) -> list[str]:
    """Arguments of a training run on a few documents."""
    if schema_file(folder / "conf"):
        for part in ("train", "eval"):
            write_documents(folder / f"{part}.jsonl", DOCUMENTS)
        tiny_bert(folder / "encoder")
    return [
        "--config-path", str(folder / "conf"), "schema=tiny", f"data={folder}", f"out={out}",
        f"encoder.name={folder / 'encoder'}", *SETTINGS,
    ]  # fmt: skip


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model/model.safetensors")


def test_after_kill_9_the_same_command_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    settings = ["trainer.batch_tokens=70"]
    succeed("train", *command(tmp_path, tmp_path / "whole"), *settings)
    killed_run = [*command(tmp_path, tmp_path / "killed"), *settings]
    kill_when(lambda: has_checkpoint(tmp_path / "killed"), "train", *killed_run)
    assert not (tmp_path / "killed/model").exists()
    again = succeed("train", *killed_run)
    assert "going on from" in again.printed
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    evaluations = [
        {path.name: path.read_bytes() for path in (tmp_path / run / "evaluations").iterdir()}
        for run in ("whole", "killed")
    ]
    assert evaluations[0] == evaluations[1]


def test_two_processes_learn_what_one_learns_with_two_batches_a_step(tmp_path: Path) -> None:
    settings = [
        "trainer.batch_tokens=40", "+trainer.arguments.optim=sgd", "trainer.arguments.max_grad_norm=0",
        "+encoder.overrides.hidden_dropout_prob=0.0", "+encoder.overrides.attention_probs_dropout_prob=0.0",
    ]  # fmt: skip
    alone = [*command(tmp_path, tmp_path / "alone"), *settings, "trainer.arguments.gradient_accumulation_steps=2"]
    succeed("train", *alone)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "kazu_distill.train", *command(tmp_path, tmp_path / "pair"), *settings],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("epoch 1.0") == 1, "only the first process prints"
    one, two = weights(tmp_path / "alone"), weights(tmp_path / "pair")
    untrained = load_file(tmp_path / "encoder/model.safetensors")
    assert all(torch.allclose(one[name], two[name], rtol=0, atol=1e-5) for name in one)
    kept = [name for name in untrained if untrained[name].shape == one[name].shape]  # all but the head
    assert not all(torch.allclose(untrained[name], one[name], rtol=0, atol=1e-4) for name in kept)
