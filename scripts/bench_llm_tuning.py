"""How fast an adapter is tuned, as ``kazu_distill.tune`` does it: its Trainer, its packed rows, its loss.

The arithmetic of a step, a multiplication and an addition each counted as one operation, for T tokens of which A are
learnt, in records of l tokens each:

    forward     2 · P · T  +  2 · H · A  +  2 · R · T  +  2 · L · q · Σ l²
    backward    2 · P · T  +  2 · H · A  +  4 · R · T  +  4 · L · q · Σ l²

P numbers of the linear layers but the head, H of the head, R of the adapter; L layers whose heads are q wide together.
The base's weights are frozen, so that the way back takes one product a layer and not two: 4 · P a token, not the usual
6. Attention is counted for what a token may see, half of all pairs. Embeddings, norms, softmax and the optimizer are
left out. With gradient checkpointing the layers' forward pass is computed once more; only "with what is computed again"
counts that, and says what the card did. A share is of what was of use.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from bench_llm_model import made, peak_of, sizes, wait
from transformers import TrainingArguments

from kazu_distill.base_llm.memory import tuning_memory
from kazu_distill.base_llm.settings import Described
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.batches import OneRow
from kazu_distill.tuning.packing import MicroBatches, packed
from kazu_distill.tuning.rows import Row
from kazu_distill.tuning.trainer import TuningTrainer

ANSWERED = 0.15  # share of a record's tokens that are its answer
_WARM_UP = 3


def columns(peaks: Iterable[str]) -> list[str]:
    """The heads of the table's columns."""
    shares = [f"share of {peak}" for peak in peaks]
    return ["tuning", "tokens/s", "TFLOP/s", *shares, "with what is computed again", "peak GB", "estimated GB"]


def tuned(
    described: Described,
    *,
    batch_tokens: int,
    record: int,
    steps: int,
    checkpointed: bool,
    peaks: Iterable[float | None],
) -> list[str]:
    """The cells of a row but the first.

    Args:
        described: the model's shape and device.
        batch_tokens: of a micro-batch.
        record: tokens of a record.
        steps: that are measured.
        checkpointed: with gradient checkpointing.
        peaks: TFLOP/s that the card can do, for a share of each.
    """
    rows = invented_rows(described, batch_tokens // record * (steps + _WARM_UP), record)
    bins = packed([len(row) for row in rows], batch_tokens=batch_tokens, seed=1)
    with peak_of(described.device) as peak:
        model = AdapterSettings().put_on(made(described), described=described)
        trained = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
        seconds = seconds_of_steps(described, model, rows, bins, checkpointed=checkpointed)
        del model
    lengths = [len(rows[number]) for number in bins[0]]
    learnt = sum(len(rows[number].answer) for number in bins[0])
    useful, done = flop(described, lengths, learnt, trained, checkpointed=checkpointed)
    estimated = tuning_memory(
        described, trained=trained, batch_tokens=sum(lengths), learnt_tokens=learnt, gradient_checkpointing=checkpointed
    )
    return [
        f"{sum(lengths) / seconds:,.0f}",
        f"{useful / seconds / 1e12:,.3g}",
        *(f"{useful / seconds / 1e12 / each:.1%}" if each else "" for each in peaks),
        f"{done / seconds / 1e12:,.3g} TFLOP/s",
        f"{peak[0] / 1e9:.1f}" if peak else "",
        f"{estimated.total / 1e9:.1f}",
    ]


def flop(model: Described, lengths: list[int], learnt: int, adapter: int, *, checkpointed: bool) -> tuple[float, float]:
    """Operations of a step: those of use, and with those that are done twice."""
    of, tokens, config = sizes(model), sum(lengths), model.config
    pairs = config.num_hidden_layers * config.hidden_size * sum(length**2 for length in lengths)
    layers = 2 * of.linear * tokens + 2 * adapter * tokens + 2 * pairs
    useful = layers + 2 * of.head * learnt  # forward
    useful += 2 * of.linear * tokens + 4 * adapter * tokens + 4 * pairs + 2 * of.head * learnt
    return useful, useful + (layers if checkpointed else 0)


def seconds_of_steps(
    described: Described, model: Any, rows: list[Row], bins: list[list[int]], *, checkpointed: bool
) -> float:
    """Seconds of a step, each a micro-batch, after some that warm up; the middle of all."""
    ends: list[float] = []

    def on_step(*_: int) -> None:
        wait(described.device)
        ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        trainer = TuningTrainer(
            answers=lambda *_: [],
            questions=0,
            score=lambda *_: {},
            batches=MicroBatches(bins, seed=1),
            model=model,
            args=TrainingArguments(
                output_dir=folder, max_steps=len(bins), per_device_train_batch_size=1, learning_rate=1e-4,
                bf16=described.device.type == "cuda", use_cpu=described.device.type == "cpu", save_strategy="no",
                gradient_checkpointing=checkpointed, gradient_checkpointing_kwargs={"use_reentrant": False},
                remove_unused_columns=False, use_cache=True, dataloader_pin_memory=described.device.type == "cuda",
                report_to=[], logging_strategy="no",
            ),
            train_dataset=rows,
            data_collator=OneRow(keeps_logits=True),
        )  # fmt: skip
        trainer.show_progress_by(on_step)
        trainer.train()
    return float(np.median(np.diff(ends)[_WARM_UP - 1 :]))


def invented_rows(model: Described, count: int, record: int) -> list[Row]:
    """Records of so many tokens, drawn from the whole vocabulary."""
    chance = np.random.default_rng(1)
    answer = max(1, round(ANSWERED * record))
    tokens = chance.integers(3, model.config.vocab_size, (count, record), dtype=np.int32)
    return [Row(each[:-answer], each[-answer:]) for each in tokens]
