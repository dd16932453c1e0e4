"""The ``transformers`` Trainer with our micro-batches, our loss, and answers in place of batches at evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accelerate.utils import broadcast_object_list, gather_object
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from kazu_distill.tuning.loss import answer_loss
from kazu_distill.tuning.packing import MicroBatches

Answers = Callable[[Any, Sequence[int]], list[str]]
"""Given a model and the numbers of questions: its answers to them."""

Score = Callable[[int, float, list[str]], Mapping[str, float]]
"""Given step, epoch and the answers to all questions: named figures, among them ``mean_f1``, by which is selected."""

OnStep = Callable[[int, int], None]
"""Given the number of steps that are done, and of all steps."""


class TuningTrainer(Trainer):
    """Trains a model that answers.

    Args:
        answers: has the model answer questions of the evaluation.
        questions: how many there are.
        score: called at every evaluation, in the first of several processes.
        batches: of rows of the training set.
        **arguments: of the Trainer.
    """

    def __init__(
        self,
        *,
        answers: Answers,
        questions: int,
        score: Score,
        batches: MicroBatches,
        **arguments: Any,
    ) -> None:
        # A loss function of its own is told how many tokens the whole step learns, so that the parts of an accumulated
        # gradient, and several processes, are weighed right.
        super().__init__(eval_dataset=range(questions), compute_loss_func=answer_loss, **arguments)
        self._answers = answers
        self._questions = questions
        self._score = score
        self._batches = batches

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The micro-batches that were given; each process has its own."""
        rows: Any = self.train_dataset
        return _EpochLoader(
            rows,
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Have the model answer the questions as a user would have it, and score what it says."""
        processes = self.accelerator.num_processes
        own = range(self._questions)
        if not self.is_fsdp_enabled:  # there all must generate the same, since each holds a part of the weights
            own = own[self.accelerator.process_index :: processes]
        model: Any = self.model if self.is_fsdp_enabled else self.accelerator.unwrap_model(self.model_wrapped)
        model.eval()
        parts = gather_object([dict(zip(own, self._answers(model, own), strict=True))])
        figures: list[Any] = [None]
        if self.is_world_process_zero():
            answered = {number: answer for part in parts for number, answer in part.items()}
            in_order = [answered[number] for number in range(self._questions)]
            figures = [dict(self._score(self.state.global_step, self.state.epoch or 0.0, in_order))]
        broadcast_object_list(figures)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures[0].items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _EpochLoader(DataLoader[Any]):
    """A loader that the Trainer can tell the epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose micro-batches come next."""
        assert isinstance(self.batch_sampler, MicroBatches)
        self.batch_sampler.set_epoch(epoch)


class Progress(TrainerCallback):
    """Tells of every step."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell of it."""
        self._on_step(state.global_step, state.max_steps)
