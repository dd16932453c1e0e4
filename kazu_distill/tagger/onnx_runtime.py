"""An exported tagger, computed by ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.models.device import Precision
from kazu_distill.tagger.fingerprint import hash_of_weights
from kazu_distill.tagger.onnx_files import WEIGHTS, OnnxKind, find_export
from kazu_distill.tagger.padding import pad
from kazu_distill.tagger.saved import TaggerParts, unloadable

_ERRORS_ONLY = 3


class OnnxRuntime:
    """An ONNX file with the inputs ``input_ids`` and ``attention_mask`` and the output ``logits``.

    It computes with as many threads as torch would.

    Args:
        file: of the model.
        padding: its padding token.
        longest: tokens that no row exceeds.

    Raises:
        ConfigError: ONNX Runtime is not installed, or the file is not one of ours.
    """

    def __init__(self, file: Path, *, padding: int, longest: int) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError(
                f'{file} needs ONNX Runtime: pip install "kazu-distill[onnx]", or choose runtime=torch'
            ) from error
        options = onnxruntime.SessionOptions()
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        # As torch: the cores that this process may use, or OMP_NUM_THREADS.
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Nearly every batch has a shape of its own; for each shape it would keep a plan of the memory.
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            raise unloadable(file, error) from error
        self._inputs = [each.name for each in self._session.get_inputs()]
        if set(self._inputs) - {"input_ids", "attention_mask"} or "input_ids" not in self._inputs:
            raise ConfigError(f"{file} is not an export of kazu_distill: its inputs are {', '.join(self._inputs)}")
        self.batch_tokens = 1024
        self._file = file
        self._padding = padding
        self._longest = longest

    @property
    def machine(self) -> str:
        """Library, file, device and threads."""
        return f"ONNX Runtime ({self._file.name}), cpu, {torch.get_num_threads()} threads"

    @property
    def metadata(self) -> dict[str, str]:
        """What was noted in the file when it was written."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def logits(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Logits ``(batch, tokens, tags)``; ``tokens`` is that of the longest row."""
        input_ids, attention_mask = pad(rows, padding=self._padding, multiple=1, longest=self._longest)
        given = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        answer: Any = self._session.run(["logits"], {name: given[name] for name in self._inputs})[0]
        logits: NDArray[np.float32] = answer
        return logits

    def probabilities(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Tag probabilities ``(batch, tokens, tags)``; ``tokens`` is that of the longest row."""
        probabilities: NDArray[np.float32] = torch.from_numpy(self.logits(rows)).sigmoid().numpy()
        return probabilities


def load_onnx_runtime(
    folder: Path, parts: TaggerParts, *, kind: OnnxKind, device: str, precision: Precision
) -> OnnxRuntime:
    """The exported model of a saved tagger.

    Raises:
        ConfigError: there is none, it is of other weights than the folder's, or it cannot be loaded; ONNX Runtime is
            not installed; or another device than the CPU, or another precision than the file's, is asked for.
    """
    if device not in ("auto", "cpu"):
        raise ConfigError(f"runtime={kind} computes on the CPU: leave device=auto, or choose runtime=torch")
    if precision not in ("auto", "fp32"):
        raise ConfigError(f"runtime={kind}: its precision lies in the file; leave precision=auto")
    file = find_export(folder, kind)
    runtime = OnnxRuntime(file, padding=parts.tokenizer.pad_token_id, longest=parts.settings.max_length)
    weights = hash_of_weights(folder)
    if weights and runtime.metadata.get(WEIGHTS) != weights:
        raise ConfigError(
            f"{file} was exported from other weights than those in {folder}; make it anew with: "
            f"python -m kazu_distill.export model={folder}"
        )
    return runtime
