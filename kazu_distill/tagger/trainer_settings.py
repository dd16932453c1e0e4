"""How a tagger is trained: the Trainer's arguments, checked and completed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import IntervalStrategy, TrainingArguments
from transformers.trainer_utils import SaveStrategy

from kazu_distill.errors import ConfigError
from kazu_distill.models.arguments import run_arguments
from kazu_distill.models.device import Precision, resolve_device, resolve_precision
from kazu_distill.models.early_stopping import EarlyStopping
from kazu_distill.tagger.loss import MultilabelLoss

_STEPS = 10_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 3, 20
_STEPS_BETWEEN_EVALUATIONS = 2_000


class TrainerSettings:
    """How to train.

    Args:
        batch_tokens: tokens of a batch, without padding, on each device.
        loss: what is made small.
        early_stopping: when training stops because it no longer gets better.
        arguments: ``transformers.TrainingArguments``, all but what is set here: folders, device, precision, batches,
            selection. ``num_train_epochs`` may be ``auto``: as many as make 10,000 steps, but from 3 to 20; and so may
            ``eval_strategy``: after each epoch, and within longer ones about every 2,000 steps.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    """

    def __init__(
        self,
        *,
        batch_tokens: int,
        loss: MultilabelLoss,
        early_stopping: EarlyStopping,
        arguments: Mapping[str, Any],
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        if batch_tokens < 1:
            raise ConfigError(f"trainer.batch_tokens={batch_tokens}: a batch needs tokens")
        self.batch_tokens = batch_tokens
        self.loss = loss
        self.early_stopping = early_stopping
        self.arguments = dict(arguments)
        self.device = device
        self.precision: Precision = precision

    def training_arguments(self, out: Path) -> TrainingArguments:
        """The Trainer's arguments.

        Raises:
            ConfigError: an argument is unknown or its value is not allowed.
        """
        device = resolve_device(self.device)
        if device.index is not None:
            raise ConfigError(
                f"device={self.device}: for training choose the GPU by CUDA_VISIBLE_DEVICES and device=cuda"
            )
        given = dict(self.arguments)
        if given.get("num_train_epochs") == "auto":
            given["num_train_epochs"] = _MOST_EPOCHS
        return run_arguments(
            out,
            device=device,
            dtype=resolve_precision(self.precision, device),
            given=given,
            strategies=("auto", "epoch", "steps"),
            batch_tokens="trainer.batch_tokens",
        )

    def settle(self, arguments: TrainingArguments, *, steps_per_epoch: int) -> None:
        """Set what is ``auto``, now that the number of steps in an epoch is known."""
        if self.arguments.get("num_train_epochs") == "auto":
            enough = math.ceil(_STEPS / steps_per_epoch)
            arguments.num_train_epochs = min(max(enough, _FEWEST_EPOCHS), _MOST_EPOCHS)
        if self.arguments["eval_strategy"] == "auto" and steps_per_epoch > _STEPS_BETWEEN_EVALUATIONS:
            evaluations = math.ceil(steps_per_epoch / _STEPS_BETWEEN_EVALUATIONS)
            arguments.eval_strategy, arguments.save_strategy = IntervalStrategy.STEPS, SaveStrategy.STEPS
            arguments.eval_steps = arguments.save_steps = math.ceil(steps_per_epoch / evaluations)
