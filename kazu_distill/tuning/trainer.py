"""The ``transformers`` Trainer with our micro-batches, our loss, and answers in place of batches at evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kazu_distill.models.trainer import OwnBatchesTrainer
from kazu_distill.tuning.loss import answer_loss
from kazu_distill.tuning.packing import MicroBatches

Answers = Callable[[Any, Sequence[int]], list[str]]
"""Given a model and the numbers of questions: its answers to them."""

Score = Callable[[int, float, list[str]], Mapping[str, float]]
"""Given step, epoch and the answers to all questions: named figures, among them ``mean_f1``, by which is selected."""


class TuningTrainer(OwnBatchesTrainer):
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
        super().__init__(batches=batches, eval_dataset=range(questions), compute_loss_func=answer_loss, **arguments)
        self._answers = answers
        self._questions = questions
        self._score = score

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
        answered = dict(zip(own, self._answers(model, own), strict=True))

        def score(parts: list[dict[int, str]]) -> Mapping[str, float]:
            by_number = {number: answer for part in parts for number, answer in part.items()}
            in_order = [by_number[number] for number in range(self._questions)]
            return self._score(self.state.global_step, self.state.epoch or 0.0, in_order)

        return self.judge(answered, score, prefix=metric_key_prefix)
