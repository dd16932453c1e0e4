"""The ``transformers`` Trainer with our batches, our loss, and documents in place of batches at evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accelerate.utils import broadcast_object_list, gather_object
from torch.utils.data import DataLoader
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from kazu_distill.documents import Document
from kazu_distill.tagger.batches import TokenBatches
from kazu_distill.tagger.loss import MultilabelLoss
from kazu_distill.tagger.tagger import Tagger

Score = Callable[[int, float, list[Document]], Mapping[str, float]]
"""Given step, epoch and the labelled eval documents: named figures, among them ``mean_f1``, by which is selected."""

OnStep = Callable[[int, int], None]
"""Given the number of steps that are done, and of all steps."""


class TaggerTrainer(Trainer):
    """Trains a tagger's model.

    Args:
        tagger: labels the evaluation documents; its model is the one that is trained.
        score: called at every evaluation, in the first of several processes.
        documents: to evaluate on.
        batches: of rows of the training table.
        loss: of a batch.
        **arguments: of the Trainer.
    """

    def __init__(
        self,
        *,
        tagger: Tagger,
        score: Score,
        documents: Sequence[Document],
        batches: TokenBatches,
        loss: MultilabelLoss,
        **arguments: Any,
    ) -> None:
        # A loss function of its own is told how many labels the whole step has, so that the parts of an accumulated
        # gradient, and several processes, are weighed right.
        super().__init__(eval_dataset=documents, compute_loss_func=loss, **arguments)
        self._tagger = tagger
        self._score = score
        self._documents = documents
        self._batches = batches

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches that were given; each process has its own."""
        table: Any = self.train_dataset
        return _EpochLoader(
            table.with_format("numpy"),
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
        """Label the evaluation documents as a user would, windows and all, and score them."""
        own = self._documents[self.accelerator.process_index :: self.accelerator.num_processes]
        parts = gather_object([list(self._tagger.label(own, source=f"step {self.state.global_step}"))])
        figures: list[Any] = [None]
        if self.is_world_process_zero():
            labelled = {document.id: document for part in parts for document in part}
            in_order = [labelled[document.id] for document in self._documents]
            figures = [dict(self._score(self.state.global_step, self.state.epoch or 0.0, in_order))]
        broadcast_object_list(figures)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures[0].items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _EpochLoader(DataLoader[Any]):
    """A loader that the Trainer can tell the epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        assert isinstance(self.batch_sampler, TokenBatches)
        self.batch_sampler.set_epoch(epoch)


class Progress(TrainerCallback):
    """Tells of every step."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Tell of it."""
        self._on_step(state.global_step, state.max_steps)
