"""What all questions begin with, such as the instructions, is read by the model once."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_LEAST = 64  # tokens, below which it is not worth a pass of its own


class SharedPrefix:
    """Keys and values of the tokens that the questions before had in common.

    A batch is then ``prefix, padding, rest`` instead of ``padding, whole``: what is filled up is never attended to, and
    positions are counted without it. Where a layer keeps something else than the keys and values of all tokens (sliding
    windows, states), or attention is computed by a kernel of its own, nothing is kept, and every question is read
    whole.

    Args:
        model: a causal one, with its weights.
        device: where it is.
    """

    def __init__(self, model: Any, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._tokens: list[int] = []
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._latest: Sequence[int] = ()
        self.is_possible = _keeps_all(model)

    def of(self, prompts: Sequence[Sequence[int]]) -> tuple[int, DynamicCache | None]:
        """How many tokens of these questions are known, and their keys and values with a row for each question.

        ``(0, None)`` where too little is shared.
        """
        if not self.is_possible:
            return 0, None
        # A question's last token is always read, since the answer begins with what follows it.
        shortest = min(map(len, prompts)) - 1
        wanted = min(shortest, _common(prompts if len(prompts) > 1 else [self._latest, *prompts]))
        known = min(shortest, _common([self._tokens, *prompts]))
        self._latest = prompts[0]
        if wanted - known >= _LEAST:
            self._read(prompts[0][:wanted], known)
            known = wanted
        if known < _LEAST:
            return 0, None
        rows = len(prompts)
        layers = [
            (keys[:, :, :known].expand(rows, -1, -1, -1), values[:, :, :known].expand(rows, -1, -1, -1))
            for keys, values in self._layers
        ]
        return known, DynamicCache(layers)

    def forget(self) -> None:
        """Give the memory back."""
        self._tokens, self._layers = [], []

    def _read(self, tokens: Sequence[int], known: int) -> None:
        """Let the model read these tokens, of which the first are known."""
        cache = DynamicCache([(keys[:, :, :known], values[:, :, :known]) for keys, values in self._layers])
        self._model(
            input_ids=torch.tensor([list(tokens[known:])], device=self._device),
            position_ids=torch.arange(known, len(tokens), device=self._device)[None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        layers: Any = cache.layers
        self._layers = [(layer.keys, layer.values) for layer in layers]
        self._tokens = list(tokens)


def _common(sequences: Sequence[Sequence[int]]) -> int:
    """How many tokens all sequences begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*sequences, strict=False)))


def _keeps_all(model: Any) -> bool:
    """Whether each layer of a model keeps keys and values of all tokens, and positions can be given."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = base.config
    takes = inspect.signature(base.forward).parameters
    return (
        not config.is_encoder_decoder
        and getattr(config, "_attn_implementation", None) in ("sdpa", "eager")
        and {"position_ids", "past_key_values", "logits_to_keep"} <= set(takes)
        and all(type(layer) is DynamicLayer for layer in DynamicCache(config=config).layers)
    )
