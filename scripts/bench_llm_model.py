"""Open LLMs with random weights, made on the device itself, with a tokenizer; nothing is downloaded."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from kazu_distill.base_llm.chat import PLAIN, ChatForm
from kazu_distill.base_llm.settings import BaseLLM, Described

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "tiny": {
        "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 128, "vocab_size": 1_000, "tie_word_embeddings": True,
    },
    "1b": {
        "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 8192, "vocab_size": 128_256, "tie_word_embeddings": True,
    },
    "8b": {
        "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "intermediate_size": 14336, "vocab_size": 128_256, "tie_word_embeddings": False,
    },
}  # fmt: skip
"""Those of Llama 3.2 1B and Llama 3.1 8B, and one for trying this script."""

_SPECIAL = ("<s>", "</s>", "<pad>")
_POSITIONS = 131_072
_WARM_UP_S = 0.5

PEAK_TFLOPS = {
    "NVIDIA H100 80GB HBM3": 989.4, "NVIDIA H200": 989.4, "NVIDIA H100 PCIe": 756.0, "NVIDIA H100 NVL": 835.5,
    "NVIDIA A100-SXM4-80GB": 312.0, "NVIDIA A100-SXM4-40GB": 312.0, "NVIDIA A100 80GB PCIe": 312.0,
    "NVIDIA L40S": 362.0, "NVIDIA L4": 121.0,
}  # fmt: skip
"""Of matrix products of bf16, dense, as the makers' data sheets say."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many numbers a model has: in linear layers without the head, and in the head."""

    linear: int
    head: int


def described(shape: str, device: torch.device) -> Described:
    """A model of a shape; in bf16 on a GPU."""
    tokenizer = invented_tokenizer(SHAPES[shape]["vocab_size"])
    config = LlamaConfig(
        **SHAPES[shape], max_position_embeddings=_POSITIONS, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    return Described(BaseLLM(name=shape), config, ChatForm(tokenizer, template=PLAIN), False, device, dtype)


def made(model: Described) -> Any:
    """The model with random weights."""
    set_seed(1)
    usual = torch.get_default_dtype()
    try:
        torch.set_default_dtype(model.dtype)
        with model.device:
            return LlamaForCausalLM(model.config).eval()  # type: ignore[no-untyped-call]
    finally:
        torch.set_default_dtype(usual)


def sizes(model: Described) -> Sizes:
    """A model's numbers."""
    config = model.config
    width = config.hidden_size // config.num_attention_heads
    attention = config.hidden_size * width * 2 * (config.num_attention_heads + config.num_key_value_heads)
    feed_forward = 3 * config.hidden_size * config.intermediate_size
    return Sizes(config.num_hidden_layers * (attention + feed_forward), config.hidden_size * config.vocab_size)


def invented_tokenizer(vocabulary: int) -> Any:
    """Byte pairs: all bytes, then pairs of letters, then pairs of these, as many as there is room for."""
    tokens = [*_SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    letters = list(itertools.product(ascii_lowercase, ascii_lowercase))
    pairs = ["".join(pair) for pair in letters]
    merges = [*letters, *itertools.product(pairs, pairs)]
    merges = merges[: vocabulary - len(tokens)]
    tokens += ["".join(merge) for merge in merges]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def measured_tflops(device: torch.device) -> float:
    """What the device reaches in one large matrix product."""
    size, dtype = (8192, torch.bfloat16) if device.type == "cuda" else (512, torch.float32)
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    seconds = timed(lambda: left @ right, device, least_s=1.0 if device.type == "cuda" else 0.2)
    return 2 * size**3 / seconds / 1e12


def timed(work: Callable[[], object], device: torch.device, *, least_s: float) -> float:
    """Seconds of one time, the mean of as many as fill ``least_s``, after as many that are not counted."""
    for limit in (min(_WARM_UP_S, least_s), least_s):
        wait(device)
        begun, times = time.perf_counter(), 0
        while not times or time.perf_counter() - begun < limit:
            work()
            wait(device)
            times += 1
        taken = (time.perf_counter() - begun) / times
    return taken


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def peak_of(device: torch.device) -> Iterator[list[float]]:
    """What the device holds at most inside, in bytes; nothing where the device does not tell."""
    found: list[float] = []
    cleared(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    yield found
    if device.type == "cuda":
        found.append(torch.cuda.max_memory_allocated(device))


def cleared(device: torch.device) -> None:
    """Give back what nothing holds any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
