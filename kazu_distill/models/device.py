"""Where the model runs, and in what precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from kazu_distill.errors import ConfigError

Precision = Literal["auto", "fp32", "bf16", "fp16"]


def resolve_device(name: str) -> torch.device:
    """The device of a name; ``auto`` is CUDA where there is one, else MPS (Apple), else the CPU.

    Raises:
        ConfigError: the device is not there, or there is no such kind.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind = name.partition(":")[0]
    if kind not in available:
        raise ConfigError(f"device={name}: there is no such device; choose auto, cuda, mps or cpu")
    if not available[kind]:
        usable = ", ".join(kind for kind, there in available.items() if there)
        raise ConfigError(f"device={name}: torch {torch.__version__} finds no such device here (it finds {usable})")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device={name}: write a kind, or a kind with a number such as cuda:1") from error


def resolve_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """The type of the numbers in matrix products; ``auto`` is bfloat16 where the hardware computes with it.

    Raises:
        ConfigError: an unknown precision, or fp16 without a GPU.
    """
    if precision == "auto":
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        has_bf16 = device.type == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)
        return torch.bfloat16 if has_bf16 else torch.float32
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in types:
        raise ConfigError(f"precision={precision}: choose auto, fp32, bf16 or fp16")
    if precision == "fp16" and device.type == "cpu":
        raise ConfigError("precision=fp16 needs a GPU; choose bf16 or fp32 on the CPU")
    return types[precision]


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """A context in which matrix products are computed in that type."""
    if dtype is torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)
