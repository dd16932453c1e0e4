"""What computes a tagger's probabilities: torch, or an exported model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import AutoModelForTokenClassification

from kazu_distill.errors import ConfigError
from kazu_distill.models.device import Precision, autocast, resolve_device, resolve_precision
from kazu_distill.tagger.onnx_files import find_export
from kazu_distill.tagger.padding import length_multiple, pad
from kazu_distill.tagger.saved import TaggerParts, unloadable

RuntimeName = Literal["torch", "onnx", "int8"]


class Runtime(Protocol):
    """Computes a batch; it is fastest with about ``batch_tokens`` tokens at once."""

    batch_tokens: int

    @property
    def machine(self) -> str:
        """What computes, for people to read."""
        ...

    def probabilities(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Tag probabilities ``(batch, tokens, tags)`` of rows of input ids; ``tokens`` is at least the longest row."""
        ...


class TorchRuntime:
    """A ``transformers`` token-classification model on a device.

    Args:
        model: the model.
        padding: its padding token.
        longest: tokens that no row exceeds.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        precision: of matrix products: ``auto``, ``fp32``, ``bf16`` or ``fp16``.

    Raises:
        ConfigError: the device is not there, or cannot compute so.
    """

    def __init__(
        self, *, model: Any, padding: int, longest: int, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        self.model = model
        self.device = resolve_device(device)
        # On two cores 2,048 tokens were computed a quarter faster each than 8,192: they stay in the cache.
        self.batch_tokens = 2048 if self.device.type == "cpu" else 32768
        self._dtype = resolve_precision(precision, self.device)
        self._padding = padding
        self._longest = longest

    @property
    def machine(self) -> str:
        """Library, device, type of the products, and threads on the CPU."""
        on_cpu = self.device.type == "cpu"
        device = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        threads = [f"{torch.get_num_threads()} threads"] if on_cpu else []
        return ", ".join(["torch", device, str(self._dtype).removeprefix("torch."), *threads])

    def probabilities(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Tag probabilities ``(batch, tokens, tags)``."""
        probabilities: NDArray[np.float32] = self._logits(rows).sigmoid().cpu().numpy()
        return probabilities

    def logits(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Logits ``(batch, tokens, tags)``."""
        logits: NDArray[np.float32] = self._logits(rows).cpu().numpy()
        return logits

    def round_weights(self) -> None:
        """Keep the matrices in the type that products are computed in, in place of rounding them for every batch.

        The answers stay the same to the last bit. A model that is trained must keep all digits.
        """
        for layer in self.model.modules():
            if isinstance(layer, nn.Linear):
                layer.to(self._dtype)

    @torch.inference_mode()
    def _logits(self, rows: Sequence[NDArray[np.int32]]) -> Tensor:
        self.model.to(self.device)
        self.model.eval()
        input_ids, attention_mask = pad(
            rows, padding=self._padding, multiple=length_multiple(self.device), longest=self._longest
        )
        with autocast(self.device, self._dtype):
            output = self.model(input_ids=input_ids.to(self.device), attention_mask=attention_mask.to(self.device))
        logits: Tensor = output.logits.float()
        return logits


def load_runtime(name: RuntimeName, folder: Path, parts: TaggerParts, *, device: str, precision: Precision) -> Runtime:
    """What computes the model of a saved tagger: torch, or one of the files that ``kazu_distill.export`` made of it.

    Raises:
        ConfigError: there is no such runtime, it is not installed, or it cannot load this model.
    """
    if name == "torch":
        return load_torch_runtime(folder, parts, device=device, precision=precision)
    if name in ("onnx", "int8"):
        from kazu_distill.tagger.onnx_runtime import load_onnx_runtime

        return load_onnx_runtime(folder, parts, kind=name, device=device, precision=precision)
    raise ConfigError(f"runtime={name}: choose {', '.join(get_args(RuntimeName))}")


def load_torch_runtime(folder: Path, parts: TaggerParts, *, device: str, precision: Precision) -> TorchRuntime:
    """The model of a saved tagger.

    Raises:
        ConfigError: it cannot be loaded, or the device is not there.
    """
    try:
        model = AutoModelForTokenClassification.from_pretrained(folder, use_safetensors=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise unloadable(folder, error) from error
    runtime = TorchRuntime(
        model=model,
        padding=parts.tokenizer.pad_token_id,
        longest=parts.settings.max_length,
        device=device,
        precision=precision,
    )
    runtime.round_weights()
    return runtime


def weight_files(name: RuntimeName, folder: Path) -> list[Path]:
    """The files of a model's folder that a runtime loads the weights from.

    Raises:
        ConfigError: the folder has no export for it.
    """
    return sorted(folder.glob("*.safetensors")) if name == "torch" else [find_export(folder, name)]


def parameters_in(folder: Path) -> int | None:
    """How many numbers a model's weights are; None where a folder has only an export."""
    files = sorted(folder.glob("*.safetensors"))
    total = 0
    for file in files:
        with safe_open(file, framework="pt") as weights:
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return total if files else None
