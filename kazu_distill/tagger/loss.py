"""The loss of multi-label tagging."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def multilabel_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy over every tag of every trained word.

    Args:
        logits: ``(batch, tokens, tags)``.
        targets: same shape, in [0, 1]; soft where the label is uncertain.
        weights: ``(batch, tokens)``, 0 for tokens that are not a word's first.

    Returns:
        Scalar: the mean over weighted words, summed over tags, in nats. Summing keeps a class's gradient the same
        whatever the number of other classes.
    """
    losses = binary_cross_entropy_with_logits(logits.float(), targets, reduction="none").sum(dim=-1)
    total: Tensor = (losses * weights).sum() / weights.sum().clamp(min=1.0)
    return total
