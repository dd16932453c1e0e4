"""A model's shape: what its memory and its arithmetic go by, before there are any weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from kazu_distill.base_llm.settings import Described


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model, counted in numbers, not bytes.

    Args:
        parameters: all weights; those that two layers share count once.
        linear: of these, the ones of linear layers other than the head: what 4 bits can hold, and adapters lie beside.
        widest: of the largest such layer.
        layers: that a question's tokens go through; an encoder's, where there is one.
        decoder_layers: that an answer's tokens go through besides, where there is an encoder.
        hidden: width of what passes from layer to layer.
        inner: width inside a layer's feed-forward part, over all experts that a token goes through.
        queries: width of all attention heads together.
        keys: width of all heads of keys together.
        heads: of attention.
        windows: how many tokens each layer that keeps keys and values looks back, 0 for all.
        vocabulary: tokens that have logits.
        scores: numbers that attention holds for each pair of tokens: as many as heads where it adds a bias of its own
            or is computed in plain steps, 1 where it is fused with a mask, 0 where it needs no mask.
    """

    parameters: int
    linear: int
    widest: int
    layers: int
    decoder_layers: int
    hidden: int
    inner: int
    queries: int
    keys: int
    heads: int
    windows: tuple[int, ...]
    vocabulary: int
    scores: int


def shape_of_model(described: Described) -> Shape:
    """The shape of a model, built without memory on torch's ``meta`` device."""
    model = described.without_weights()
    head = model.get_output_embeddings()
    linear = [
        module.weight.numel() for module in model.modules() if isinstance(module, nn.Linear) and module is not head
    ]
    config = described.config.get_text_config()
    heads = int(config.num_attention_heads)
    width = int(getattr(config, "head_dim", None) or getattr(config, "d_kv", None) or config.hidden_size // heads)
    layers = int(config.num_hidden_layers)
    decoder_layers = int(getattr(config, "num_decoder_layers", None) or layers) if described.is_seq2seq else 0
    return Shape(
        parameters=sum(weight.numel() for weight in model.parameters()),
        linear=sum(linear),
        widest=max(linear),
        layers=layers,
        decoder_layers=decoder_layers,
        hidden=int(config.hidden_size),
        inner=_inner(config),
        queries=heads * width,
        keys=int(getattr(config, "num_key_value_heads", None) or heads) * width,
        heads=heads,
        windows=_windows(config, decoder_layers or layers),
        vocabulary=int(config.vocab_size),
        scores=_scores(described.settings.attention or model.config._attn_implementation, heads, described.is_seq2seq),
    )


def _inner(config: Any) -> int:
    names = ("intermediate_size", "d_ff", "ffn_dim", "n_inner")
    dense = next((value for name in names if (value := getattr(config, name, None))), 4 * config.hidden_size)
    expert = getattr(config, "moe_intermediate_size", None) or dense
    return int(expert * experts) if (experts := getattr(config, "num_experts_per_tok", None)) else int(dense)


def _windows(config: Any, layers: int) -> tuple[int, ...]:
    window = int(getattr(config, "sliding_window", None) or 0)
    kinds = getattr(config, "layer_types", None) or ["sliding_attention" if window else "full_attention"] * layers
    if getattr(config, "use_sliding_window", True) is False:
        window = 0
    # A layer of another kind, such as one with linear attention, keeps next to nothing, however long the text.
    return tuple(window if kind == "sliding_attention" else 0 for kind in kinds if kind.endswith("_attention"))


def _scores(attention: str, heads: int, biased: bool) -> int:
    if biased or attention == "eager":
        return heads
    return 1 if attention == "sdpa" else 0
