"""The loss of answers."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy

UNLEARNT = -100
"""The label of what is not learnt; the Trainer counts the others by this value."""


def answer_loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
    """Cross-entropy over the learnt tokens.

    Args:
        outputs: of the model, with ``logits``: ``(rows, tokens or more, vocabulary)``; those at n are for label n + 1.
        labels: ``(rows, 1 + tokens)``; ``UNLEARNT`` for what is not learnt, as the first of each row always is.
        num_items_in_batch: how many tokens are learnt in all micro-batches of this step, over all processes; by default
            those of this one.

    Returns:
        Scalar: the mean over the learnt tokens of the step, in nats, as far as it is this micro-batch's.
    """
    targets = labels[:, 1:]
    logits = outputs.logits[:, : targets.shape[1]].flatten(0, 1).float()
    losses = cross_entropy(logits, targets.flatten(), ignore_index=UNLEARNT, reduction="sum")
    items = (targets != UNLEARNT).sum() if num_items_in_batch is None else num_items_in_batch
    mean: Tensor = losses / items
    return mean
