"""The ``transformers`` Trainer with our batches, our loss, and documents in place of batches at evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kazu_distill.documents import Document
from kazu_distill.models.trainer import OwnBatchesTrainer
from kazu_distill.tagger.batches import TokenBatches
from kazu_distill.tagger.loss import MultilabelLoss
from kazu_distill.tagger.tagger import Tagger

Score = Callable[[int, float, list[Document]], Mapping[str, float]]
"""Given step, epoch and the labelled eval documents: named figures, among them ``mean_f1``, by which is selected."""


class TaggerTrainer(OwnBatchesTrainer):
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
        super().__init__(batches=batches, eval_dataset=documents, compute_loss_func=loss, **arguments)
        self._tagger = tagger
        self._score = score
        self._documents = documents

    def rows(self) -> Any:
        """The rows of the training table, as numpy has them."""
        table: Any = self.train_dataset
        return table.with_format("numpy")

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Label the evaluation documents as a user would, windows and all, and score them."""
        own = self._documents[self.accelerator.process_index :: self.accelerator.num_processes]
        labelled = list(self._tagger.label(own, source=f"step {self.state.global_step}"))

        def score(parts: list[list[Document]]) -> Mapping[str, float]:
            by_id = {document.id: document for part in parts for document in part}
            in_order = [by_id[document.id] for document in self._documents]
            return self._score(self.state.global_step, self.state.epoch or 0.0, in_order)

        return self.judge(labelled, score, prefix=metric_key_prefix)
