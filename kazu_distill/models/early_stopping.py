"""When training stops because it no longer gets better."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from kazu_distill.errors import ConfigError


class EarlyStopping(TrainerCallback, ExportableState):
    """Stops after evaluations in a row that were not better than the best one before.

    Waiting begins when something has been found, since a new head finds nothing for a while. The count of a run that
    goes on from a checkpoint goes on too.

    Args:
        patience: evaluations in a row.
        minimal_delta: by how much the figure that the best model is chosen by, from 0 to 1, must be better.
        start_epoch: evaluations before the end of this epoch do not count.

    Raises:
        ConfigError: a number is out of range.
    """

    def __init__(self, *, patience: int = 5, minimal_delta: float = 0.0, start_epoch: float = 0.0) -> None:
        if patience < 1:
            raise ConfigError(f"trainer.early_stopping.patience={patience}: at least one evaluation must be waited for")
        if not 0 <= minimal_delta < 1:
            raise ConfigError(f"trainer.early_stopping.minimal_delta={minimal_delta}: a share from 0 to 1 is needed")
        self.patience = patience
        self.minimal_delta = minimal_delta
        self.start_epoch = start_epoch
        self.waited = 0

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **rest: Any,
    ) -> None:
        """Count the evaluation."""
        found, best = rest["metrics"][f"eval_{args.metric_for_best_model}"], state.best_metric
        if found > (best or 0.0) + self.minimal_delta:
            self.waited = 0
        elif best and (state.epoch or 0.0) >= self.start_epoch:
            self.waited += 1
        if self.waited >= self.patience:
            control.should_training_stop = True

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        settings = {
            "patience": self.patience, "minimal_delta": self.minimal_delta, "start_epoch": self.start_epoch,
        }  # fmt: skip
        return {"args": settings, "attributes": {"waited": self.waited}}
