"""The loss of multi-label tagging."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

UNTRAINED = -100.0
"""The label of tokens that are no word's first; the Trainer counts the others by this value."""


def multilabel_loss(outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
    """Binary cross-entropy over every tag of every trained word.

    Args:
        outputs: of the model, with ``logits``: ``(batch, tokens, tags)``.
        labels: same shape, in [0, 1], soft where the label is uncertain; ``UNTRAINED`` for tokens that are not trained.
        num_items_in_batch: how many labels are trained in all batches of this step, over all processes and parts of an
            accumulated gradient; by default those of this batch.

    Returns:
        Scalar: the mean over trained words, summed over tags, in nats. Summing keeps a class's gradient the same
        whatever the number of other classes.
    """
    trained = labels != UNTRAINED
    losses = binary_cross_entropy_with_logits(
        outputs.logits.float(), labels.clamp(min=0), weight=trained.float(), reduction="sum"
    )
    items = trained.sum() if num_items_in_batch is None else num_items_in_batch
    mean: Tensor = losses / torch.as_tensor(items, device=losses.device).clamp(min=1)
    return mean * labels.shape[-1]
