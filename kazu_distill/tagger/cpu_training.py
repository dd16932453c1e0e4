"""Makes training on a CPU faster: attention and dropout that compute the same in less time.

torch's fused attention is slow in its backward pass where numbers are bfloat16, and its dropout draws one random number
a unit on one core. Of a step of MiniLM they took 37 % and 8 %; docs/BENCHMARKS.md, "Training".
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_ATTENTION = "kazu_distill_cpu"
_LONGEST = 1024  # tokens; all products of a window are kept for the backward pass
_DRAWS = 2**16


def speed_up(model: Any) -> None:
    """Let a ``transformers`` model use them.

    Its weights, its configuration as saved, and its predictions stay the same. Attention is left as it is where it
    is not torch's fused one, as in DeBERTa.
    """
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(_ATTENTION, attention)
        AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
        model.set_attn_implementation(_ATTENTION)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, FastDropout(child.p))


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention by plain matrix products in training with bfloat16 or dropout on usual windows; else torch's fused one.

    Args:
        module: whose attention it is.
        query: ``(batch, heads, tokens, units)``, as are ``key`` and ``value``.
        key: see there.
        value: see there.
        attention_mask: true where attention is paid; broadcast to ``(batch, heads, tokens, tokens)``.
        dropout: probability that a weight is left out, the same ones in all windows of the batch.
        scaling: of the products; by default one over the root of ``units``.
        **others: of other kinds of attention.

    Returns:
        ``(batch, tokens, heads, units)``, and None in place of the weights.
    """
    usual = query.shape[2] <= _LONGEST and dropout < 1 and others.get("position_bias") is None
    if not (usual and module.training and (dropout or query.dtype is torch.bfloat16)):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.autocast(query.device.type, enabled=False):  # it would make copies in float32
        products = torch.matmul(query * scaling, key.transpose(2, 3))
        if attention_mask is not None:
            unseen = torch.zeros(attention_mask.shape, dtype=query.dtype)
            products += unseen.masked_fill_(~attention_mask, torch.finfo(query.dtype).min)
        weights = products.softmax(dim=-1)
        if dropout:
            # Drawing is most of the work, so all windows of the batch share a draw: for each of them it is as random.
            weights = weights * _kept(weights[0], dropout)
        return torch.matmul(weights, value).transpose(1, 2).contiguous(), None


class FastDropout(nn.Dropout):
    """Dropout that draws four units' random numbers at once."""

    def forward(self, input: Tensor) -> Tensor:  # as torch calls it
        """The input, without some of it in training."""
        return drop(input, self.p) if self.training and 0 < self.p < 1 else super().forward(input)


def drop(units: Tensor, probability: float) -> Tensor:
    """Each unit is zero with that probability, rounded to 1/65,536, and else as much larger as keeps the mean."""
    return units * _kept(units, probability)


def _kept(like: Tensor, probability: float) -> Tensor:
    """What ``drop`` multiplies units of that shape and type by."""
    count = like.numel()
    dropped = round(probability * _DRAWS)
    random = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)[:count]
    kept = (random >= dropped - _DRAWS // 2).view(like.shape)
    return kept.to(like.dtype).mul_(_DRAWS / (_DRAWS - dropped))
