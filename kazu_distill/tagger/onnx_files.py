"""Where the exported models of a tagger lie, and whose weights they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from kazu_distill.errors import ConfigError

OnnxKind = Literal["onnx", "int8"]
FOLDER = "onnx"
FILES: dict[OnnxKind, str] = {"onnx": "model.onnx", "int8": "model_int8.onnx"}
WEIGHTS = "weights"
"""The key in an exported model's metadata under which the hash of its weights stands."""


def find_export(folder: Path, kind: OnnxKind) -> Path:
    """The exported model of a tagger's folder: in its folder ``onnx``, or in itself where that was sent on alone.

    Raises:
        ConfigError: there is none; the message says which command makes it.
    """
    for file in (folder / FOLDER / FILES[kind], folder / FILES[kind]):
        if file.is_file():
            return file
    raise ConfigError(
        f"runtime={kind}: {folder} has no {FOLDER}/{FILES[kind]}; make it with: "
        f"python -m kazu_distill.export model={folder}"
    )
