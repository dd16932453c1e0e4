"""Rows for tokens that a model's vocabulary gained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def vocabulary_layers(model: Any) -> list[Any]:
    """The layers that have weights for each token: one, if the head shares those of the embeddings."""
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    return [embeddings] if head is None or head.weight is embeddings.weight else [embeddings, head]


def grow(model: Any, tokens: Sequence[int], *, seed: int) -> None:
    """Give a model weights for new tokens, drawn as those of its other tokens are spread.

    transformers would begin with the mean of all others, the same for each new token, which it then takes long to tell
    apart: braces are written one for the other.

    Args:
        model: with its weights.
        tokens: the last of the vocabulary.
        seed: of what is drawn.
    """
    if not tokens:
        return
    if tokens[-1] >= model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(tokens[-1] + 1, mean_resizing=False)
    for layer in vocabulary_layers(model):
        weights = layer.weight.data
        known = weights[: tokens[0]].float()
        chance = torch.Generator().manual_seed(seed)
        drawn = torch.randn(len(tokens), known.shape[1], generator=chance).to(known.device)
        weights[list(tokens)] = (known.mean(dim=0) + known.std(dim=0) * drawn).to(weights.dtype)
