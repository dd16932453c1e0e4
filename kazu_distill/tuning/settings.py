"""How a model is tuned: the Trainer's arguments, checked and completed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from kazu_distill.base_llm.settings import Described
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.models.early_stopping import EarlyStopping


class TuningSettings:
    """How to tune.

    Args:
        batch_tokens: tokens of a micro-batch, on each device.
        packing: several records in one row, where the model is causal; else each is a micro-batch of its own.
        gradient_checkpointing: what a layer computes is computed again on the way back, which saves memory.
        early_stopping: when training stops because it no longer gets better.
        arguments: ``transformers.TrainingArguments``, all but what is set here: folders, device, precision, batches,
            selection.
    """

    def __init__(
        self,
        *,
        batch_tokens: int,
        packing: bool,
        gradient_checkpointing: bool,
        early_stopping: EarlyStopping,
        arguments: Mapping[str, Any],
    ) -> None:
        require_number("trainer.batch_tokens", batch_tokens, above=0, whole=True)
        self.batch_tokens = batch_tokens
        self.packing = packing
        self.gradient_checkpointing = gradient_checkpointing
        self.early_stopping = early_stopping
        self.arguments = dict(arguments)

    @property
    def gradient_accumulation(self) -> int:
        """Micro-batches of a step, on each device."""
        return int(self.arguments.get("gradient_accumulation_steps", 1))

    def training_arguments(self, out: Path, described: Described) -> TrainingArguments:
        """The Trainer's arguments.

        Raises:
            ConfigError: an argument is unknown or its value is not allowed.
        """
        device = described.device
        if device.index is not None:
            raise ConfigError(f"device={device}: for tuning choose the GPU by CUDA_VISIBLE_DEVICES and device=cuda")
        given = dict(self.arguments)
        if given.get("eval_strategy") not in ("epoch", "steps"):
            raise ConfigError("trainer.arguments.eval_strategy: choose epoch or steps; the best model is chosen by it")
        if "per_device_train_batch_size" in given:
            raise ConfigError(
                "trainer.arguments.per_device_train_batch_size: micro-batches are counted in tokens here, set "
                "base_llm.tuning.batch_tokens"
            )
        # A checkpoint for each evaluation, so that the best one can be had.
        given.setdefault("save_strategy", given["eval_strategy"])
        if "eval_steps" in given:
            given.setdefault("save_steps", given["eval_steps"])
        try:
            arguments = TrainingArguments(
                output_dir=str(out / "checkpoints"),
                use_cpu=device.type == "cpu",
                bf16=described.dtype is torch.bfloat16,
                fp16=described.dtype is torch.float16,
                per_device_train_batch_size=1,  # said in logs only: batches come from us
                metric_for_best_model="mean_f1",
                greater_is_better=True,
                load_best_model_at_end=True,
                restore_callback_states_from_checkpoint=True,
                remove_unused_columns=False,
                use_cache=True,  # it is the model's own setting that this would change; our batches want none
                dataloader_pin_memory=device.type == "cuda",
                **given,
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"trainer.arguments: {error}") from error
        if arguments.n_gpu > 1:
            arguments._n_gpu = 1  # a process uses one GPU; torchrun starts one for each
        return arguments
