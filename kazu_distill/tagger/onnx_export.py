"""A token-classification model as an ONNX file."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.onnx_files import WEIGHTS

_WITH_ATTENTION = 23  # the first version of ONNX that has attention as one operator: 10 to 30 % faster
_USUAL = 20
_LARGEST = 2**31 - 2**20  # bytes of a file; ONNX cannot say more


def require_exporter() -> None:
    """Check that what exporting needs is installed.

    Raises:
        ConfigError: it is not.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(f'exporting needs {error.name}: pip install "kazu-distill[onnx]"') from error


def export_onnx(model: Any, file: Path, *, length: int, weights: str) -> None:
    """Write a model as ONNX, for batches of any size and length.

    Args:
        model: of ``transformers``; its weights are written in float32.
        file: to write. Inputs: ``input_ids`` and ``attention_mask``, int64 ``(batch, tokens)``. Output: ``logits``,
            float32 ``(batch, tokens, tags)``.
        length: the longest row in tokens. The example that is traced has it, since a model may go another way for
            rows that are shorter than its sliding window.
        weights: a hash of the weights, noted in the file.

    Raises:
        ConfigError: torch cannot export this model, or it is too large for one file.
    """
    size = 4 * sum(parameter.numel() for parameter in model.parameters())
    if size > _LARGEST:
        raise ConfigError(f"the model has {size / 1e9:.1f} GB of weights; an ONNX file holds 2: choose runtime=torch")
    try:
        program = _traced(model, length, _WITH_ATTENTION)
        # The operator that this version has for rotary positions fails in ONNX Runtime with more than one row.
        if any(node.op_type == "RotaryEmbedding" for node in program.model.graph):
            program = _traced(model, length, _USUAL)
    except torch.onnx.errors.OnnxExporterError as error:
        raise ConfigError(
            f"torch {torch.__version__} cannot export this encoder ({model.config.model_type}) to ONNX; choose "
            f"runtime=torch, or another encoder: {' '.join(str(error).split())[:300]}"
        ) from error
    program.model.metadata_props[WEIGHTS] = weights
    program.save(file, external_data=False)


def _traced(model: Any, length: int, version: int) -> Any:
    example = torch.ones((2, length), dtype=torch.long)
    shape = {0: "batch", 1: "tokens"}
    with quiet_exporters(), torch.no_grad():
        return torch.onnx.export(
            model.float().eval(),
            kwargs={"input_ids": example, "attention_mask": example.clone()},
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes={"input_ids": shape, "attention_mask": dict(shape)},
            opset_version=version,
            dynamo=True,  # the other way writes wrong logits, and no error
            verbose=False,
        )


@contextmanager
def quiet_exporters() -> Iterator[None]:
    """Keep back what the libraries have to say about themselves."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(disabled)
