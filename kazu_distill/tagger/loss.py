"""The loss of multi-label tagging."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from kazu_distill.errors import ConfigError

UNTRAINED = -100.0
"""The label of tokens that are no word's first; the Trainer counts the others by this value."""


class MultilabelLoss:
    """Binary cross-entropy over every tag of every trained word, weighted by how far off the word is.

    The weight is ``|probability - label| ** focus``: focal loss in the form for soft labels (Li et al. 2020,
    "Generalized Focal Loss"). Words that are learnt already count little. With focus 0 it is plain cross-entropy.

    Args:
        focus: 0 or more.

    Raises:
        ConfigError: it is less.
    """

    def __init__(self, *, focus: float = 1.0) -> None:
        if focus < 0:
            raise ConfigError(f"trainer.loss.focus={focus}: it must be 0 or more")
        self.focus = focus

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """The loss of a batch.

        Args:
            outputs: of the model, with ``logits``: ``(batch, tokens, tags)``.
            labels: same shape, in [0, 1], soft where the label is uncertain; ``UNTRAINED`` for tokens that are not
                trained.
            num_items_in_batch: how many labels are trained in all batches of this step, over all processes and parts of
                an accumulated gradient; by default those of this batch.

        Returns:
            Scalar: the mean over trained words, summed over tags, in nats. Summing keeps a class's gradient the same
            whatever the number of other classes.
        """
        trained = labels != UNTRAINED
        logits, targets, weights = outputs.logits.float(), labels.clamp(min=0), trained.float()
        if self.focus:
            weights = weights * (logits.detach().sigmoid() - targets).abs() ** self.focus
        losses = binary_cross_entropy_with_logits(logits, targets, weight=weights, reduction="sum")
        items = trained.sum() if num_items_in_batch is None else num_items_in_batch
        mean: Tensor = losses / torch.as_tensor(items, device=losses.device).clamp(min=1)
        return mean * labels.shape[-1]
