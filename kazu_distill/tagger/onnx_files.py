"""Where the exported models of a tagger lie, and whose weights they hold."""

from __future__ import annotations

import hashlib
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


def hash_of_weights(folder: Path) -> str | None:
    """What tells a tagger's weights from all others; None where the folder has none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "blake2b").digest())
    return digest.hexdigest()
