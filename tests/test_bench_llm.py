"""The benchmark of open LLMs, at a size that shows only that it works, and the arithmetic that it counts."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.batches import OneRow
from kazu_distill.tuning.loss import answer_loss
from tests.stages import REPOSITORY


def test_every_row_is_measured_on_a_cpu() -> None:
    small = {
        "batch-tokens": 64,
        "record": 32,
        "steps": 1,
        "batch": 2,
        "shared": 70,
        "own": 4,
        "answer": 4,
        "seconds": 0,
    }
    given = [word for name, value in small.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "scripts/bench_llm.py", "--shape", "tiny", "--device", "cpu", *given]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    rows = [line.strip("| ").split(" | ")[0] for line in run.stdout.splitlines() if line.startswith("| tiny")]
    assert rows == [
        "tiny, 64 a step, checkpointed",
        "tiny, 64 a step",
        "tiny, 2 at once, reuse",
        "tiny, 2 at once",
        "tiny, 2 at once, forced, reuse",
        "tiny, 2 at once, forced",
    ]
    assert "n/a" not in run.stdout


@pytest.mark.parametrize("checkpointed", [True, False])
def test_the_arithmetic_is_what_torch_counts(checkpointed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    shapes: Any = importlib.import_module("bench_llm_model")
    tuning: Any = importlib.import_module("bench_llm_tuning")
    monkeypatch.setitem(shapes.SHAPES, "deep", shapes.SHAPES["tiny"] | {"num_hidden_layers": 12})
    described = shapes.described("deep", torch.device("cpu"))
    model = AdapterSettings().put_on(shapes.made(described), described=described).train()
    if checkpointed:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    rows = tuning.invented_rows(described, 4, 8)  # so short that attention, which torch counts in full, hardly counts
    batch = OneRow(keeps_logits=True)(rows)
    labels = batch.pop("labels")
    with FlopCounterMode(display=False) as counter:
        answer_loss(model(**batch), labels).backward()  # type: ignore[no-untyped-call]
    trained = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    lengths, learnt = [len(row) for row in rows], sum(len(row.answer) for row in rows)
    useful, done = tuning.flop(described, lengths, learnt, trained, checkpointed=checkpointed)
    assert (done > 1.3 * useful) if checkpointed else (done == useful)
    assert done == pytest.approx(counter.get_total_flops(), rel=0.05)
