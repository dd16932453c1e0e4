"""The memory that a model takes, before its weights are loaded: to tune it, and to ask it.

Weights are counted exactly; the rest is what a layer keeps, added up. On the CPU, in fp32, all together was within a
tenth of what models of 42 and 66 M parameters held at once (``tests/base_llm/peak.py``); an allocator that is slow to
give back, as glibc's, took up to twice that. No GPU has been compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kazu_distill.base_llm.room import Room
from kazu_distill.base_llm.settings import Described
from kazu_distill.base_llm.shape import Shape, shape_of_model

_FP32 = 4
# A number in NF4, with its share of a block's scale, which is itself in 8 bits (Dettmers et al. 2023, "QLoRA").
_NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
_ROOM_TO_SPARE = 0.95  # an allocator cannot use the last of a device's memory


@dataclass(frozen=True, slots=True)
class Memory:
    """What something takes.

    Args:
        name: of the model.
        parts: bytes, by what they are for.
        lower: settings that would take less, those first that lose nothing.
    """

    name: str
    parts: Mapping[str, int]
    lower: tuple[str, ...]

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.parts.values())

    def sentence(self, room: Room | None = None) -> str:
        """What it takes, and what there is."""
        parts = ", ".join(f"{name} {_gb(size)}" for name, size in self.parts.items())
        there = f"; {room.device} has {_gb(room.total)} GB, {_gb(room.free)} free" if room else ""
        return f"{self.name} needs about {_gb(self.total)} GB: {parts}{there}"

    def remark(self, room: Room | None) -> str | None:
        """What to change if it will not fit."""
        if room is None or self.total <= _ROOM_TO_SPARE * room.free:
            return None
        return (
            f"{self.name} needs about {_gb(self.total)} GB and {room.device} has {_gb(room.free)} free: it will hardly "
            f"fit; {', or '.join(self.lower)}"
        )


def asking_memory(described: Described, *, batch: int, tokens: int) -> Memory:
    """What answering takes.

    Args:
        described: the model.
        batch: questions at once.
        tokens: of the longest question together with its answer.
    """
    shape, size = shape_of_model(described), described.dtype.itemsize
    kept = sum(min(tokens, window) if window else tokens for window in shape.windows)
    # The whole batch goes through one layer after the other; keys and values are repeated for each head behind a mask,
    # and a layer's cache is copied when it grows.
    layer = max(2 * shape.hidden + 3 * shape.inner, 3 * shape.hidden + 4 * shape.queries + 2 * shape.keys)
    workspace = batch * tokens * (layer * size + shape.scores * tokens * (size if shape.scores > 1 else 1))
    workspace += 3 * batch * shape.vocabulary * _FP32 + _unfolded(described, shape)
    parts = {
        "weights": _weights(described, shape, beside=size),
        "cache": 2 * batch * kept * shape.keys * size,
        "workspace": workspace,
    }
    ways = [
        f"ask fewer at once (now {batch:,})",
        f"ask with fewer tokens (now up to {tokens:,})",
        *_smaller(described),
    ]
    return Memory(described.settings.name, parts, tuple(ways))


def tuning_memory(
    described: Described,
    *,
    trained: int,
    batch_tokens: int,
    learnt_tokens: int,
    gradient_checkpointing: bool,
    longest: int | None = None,
    shards: int = 1,
) -> Memory:
    """What tuning takes, on each device.

    Args:
        described: the model.
        trained: numbers that are learnt beside the model's own, in fp32, as an adapter is.
        batch_tokens: of a micro-batch.
        learnt_tokens: of these, the ones whose logits are computed.
        gradient_checkpointing: what a layer computes is forgotten and computed again.
        longest: tokens of the longest row; by default all of them are in one row.
        shards: devices among which the weights, and what is trained, are dealt out.
    """
    shape, size = shape_of_model(described), described.dtype.itemsize
    longest = min(longest or batch_tokens, batch_tokens)
    layer = _kept_by_layer(shape, size, longest, dropped=1 if described.device.type == "cuda" else size)
    if described.is_seq2seq:  # a decoder's layer attends twice, and the second time to the question
        layers = [batch_tokens * layer] * shape.layers + [round(1.5 * learnt_tokens * layer)] * shape.decoder_layers
    else:
        layers = [batch_tokens * layer] * shape.layers
    # peft has everything beside weights of 4 bits in fp32, and so what passes from layer to layer.
    beside = _FP32 if described.settings.load_in_4bit else size
    if gradient_checkpointing:  # each layer's input is kept, and one layer at a time is there in full
        activations = max(layers) + len(layers) * batch_tokens * shape.hidden * beside
    else:
        activations = sum(layers)
    weights = _weights(described, shape, beside=beside)
    parts = {
        "weights": weights // shards + (2 * shape.widest * size if shards > 1 else 0),
        # The number, its gradient, and Adam's two averages.
        "what is trained and its optimizer": 4 * _FP32 * trained // shards,
        "activations": activations + _unfolded(described, shape),
        # The logits, the same in fp32, their logarithms of probabilities, and the gradient of these.
        "logits": learnt_tokens * shape.vocabulary * (size + 3 * _FP32),
    }
    ways = [
        *([] if gradient_checkpointing else ["set base_llm.tuning.gradient_checkpointing=true"]),
        f"lower base_llm.tuning.batch_tokens (now {batch_tokens:,})",
        *_smaller(described),
    ]
    return Memory(described.settings.name, parts, tuple(ways))


def _kept_by_layer(shape: Shape, size: int, longest: int, *, dropped: int) -> int:
    """Bytes that a layer keeps of each token for the way back, with an adapter beside each linear layer.

    Kept are: what its two norms got, in fp32; queries, keys and values, repeated for each head, and what attention made
    of them; the gate, its activation, what it is multiplied by; and what each adapter got, with what dropout drew.
    """
    norms = 2 * _FP32 * shape.hidden
    attention = 4 * shape.queries * size + _FP32 * shape.heads
    feed_forward = 3 * shape.inner * size
    adapters = (5 * shape.hidden + shape.queries + shape.inner) * (size + dropped)
    return norms + attention + feed_forward + adapters + shape.scores * longest * size


def _weights(described: Described, shape: Shape, *, beside: int) -> int:
    linear = _NF4 if described.settings.load_in_4bit else beside
    return round(linear * shape.linear) + (shape.parameters - shape.linear) * beside


def _unfolded(described: Described, shape: Shape) -> int:
    """What a layer of 4 bits takes when it is used."""
    return 2 * shape.widest * described.dtype.itemsize if described.settings.load_in_4bit else 0


def _smaller(described: Described) -> list[str]:
    four_bits = described.device.type == "cuda" and not described.settings.load_in_4bit
    return [*(["set base_llm.load_in_4bit=true"] if four_bits else []), "choose a smaller model"]


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f}"
