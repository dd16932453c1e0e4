"""How a model is tuned: the Trainer's arguments, checked and completed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from kazu_distill.base_llm.settings import Described
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.models.arguments import run_arguments
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
        return run_arguments(
            out,
            device=device,
            dtype=described.dtype,
            given=self.arguments,
            strategies=("epoch", "steps"),
            batch_tokens="base_llm.tuning.batch_tokens",
            use_cache=True,  # it is the model's own setting that this would change; our batches want none
        )
