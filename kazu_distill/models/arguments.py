"""The arguments of a Trainer that every run of ours has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from kazu_distill.errors import ConfigError


def run_arguments(
    out: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    given: Mapping[str, Any],
    strategies: tuple[str, ...],
    batch_tokens: str,
    **own: Any,
) -> TrainingArguments:
    """The arguments of a run that evaluates, keeps the best model by ``mean_f1``, and counts batches in tokens.

    Args:
        out: checkpoints go below it.
        device: where it runs; of several GPUs each process has one.
        dtype: of the numbers in matrix products.
        given: by the user, all but those that are set here; ``auto`` as ``eval_strategy`` begins as ``epoch``.
        strategies: what ``eval_strategy`` may be.
        batch_tokens: the setting that says how large a batch is.
        **own: of this kind of run.

    Raises:
        ConfigError: an argument is unknown or its value is not allowed.
    """
    if given.get("eval_strategy") not in strategies:
        choices = f"{', '.join(strategies[:-1])} or {strategies[-1]}"
        raise ConfigError(f"trainer.arguments.eval_strategy: choose {choices}; the best model is chosen by it")
    if "per_device_train_batch_size" in given:
        raise ConfigError(
            "trainer.arguments.per_device_train_batch_size: batches are counted in tokens here, set " + batch_tokens
        )
    wanted = dict(given)
    if wanted["eval_strategy"] == "auto":
        wanted["eval_strategy"] = "epoch"
    # A checkpoint for each evaluation, so that the best one can be had.
    wanted.setdefault("save_strategy", wanted["eval_strategy"])
    if "eval_steps" in wanted:
        wanted.setdefault("save_steps", wanted["eval_steps"])
    try:
        arguments = TrainingArguments(
            output_dir=str(out / "checkpoints"),
            use_cpu=device.type == "cpu",
            bf16=dtype is torch.bfloat16,
            fp16=dtype is torch.float16,
            per_device_train_batch_size=1,  # said in logs only: batches come from us
            metric_for_best_model="mean_f1",
            greater_is_better=True,
            load_best_model_at_end=True,
            restore_callback_states_from_checkpoint=True,
            remove_unused_columns=False,
            dataloader_pin_memory=device.type == "cuda",
            **own,
            **wanted,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"trainer.arguments: {error}") from error
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # a process uses one GPU; torchrun starts one for each
    return arguments
