"""What our Trainers share: the epoch told to the batches, one score of what several processes made, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accelerate.utils import broadcast_object_list, gather_object
from torch.utils.data import DataLoader
from transformers import (
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

OnStep = Callable[[int, int], None]
"""Given the number of steps that are done, and of all steps."""


class OwnBatchesTrainer(Trainer):
    """A Trainer whose batch sampler deals out the batches of each epoch, and whose evaluation is a function's.

    Args:
        batches: a batch sampler with ``set_epoch``; each process has its own.
        **arguments: of the Trainer.
    """

    def __init__(self, *, batches: Any, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._batches = batches

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches that were given."""
        return _EpochLoader(
            self.rows(),
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def rows(self) -> Any:
        """What the batches are made of."""
        return self.train_dataset

    def judge(self, own: Any, score: Callable[[list[Any]], Mapping[str, float]], *, prefix: str) -> dict[str, float]:
        """Score in the first of several processes what each has made of its share, and tell all of them.

        Args:
            own: of this process.
            score: given what all processes have made, in their order.
            prefix: of the figures' names.
        """
        parts = gather_object([own])
        figures: list[Any] = [dict(score(parts)) if self.is_world_process_zero() else None]
        broadcast_object_list(figures)
        metrics = {f"{prefix}_{name}": value for name, value in figures[0].items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def show_progress_by(self, on_step: OnStep) -> None:
        """Tell of every step, and print nothing else."""
        for own_output in (ProgressCallback, PrinterCallback):
            self.remove_callback(own_output)
        self.add_callback(_Progress(on_step))


class _EpochLoader(DataLoader[Any]):
    """A loader that the Trainer can tell the epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        sampler: Any = self.batch_sampler
        sampler.set_epoch(epoch)


class _Progress(TrainerCallback):
    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell of it."""
        self._on_step(state.global_step, state.max_steps)
