"""Which weights a folder holds, without reading all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PIECES, _PIECE = 16, 4096  # of each file of weights: as many places, as many bytes
_WEIGHTS = (".safetensors", ".bin")
_SMALL = (".json", ".jinja", ".model", ".txt")  # configuration, tokenizer, template: read whole


def digest(folder: Path) -> str:
    """What tells a model's or an adapter's folder from another, in hexadecimal.

    Of files with weights their sizes and samples count: tuning changes nearly every number. What is made anew each time
    a folder is saved, such as a training state, does not count.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (*_WEIGHTS, *_SMALL) and not file.name.startswith(("train", "optimizer", "scheduler", "rng")):
            digest.update(f"{file.name}:".encode())
            digest.update(_sampled(file) if file.suffix in _WEIGHTS else file.read_bytes())
    return digest.hexdigest()[:16]


def _sampled(file: Path) -> bytes:
    """Size and evenly spread pieces of a file, its first and its last among them."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        if size <= _PIECES * _PIECE:
            return opened.read()
        pieces = [str(size).encode()]
        for number in range(_PIECES):
            opened.seek((size - _PIECE) * number // (_PIECES - 1))
            pieces.append(opened.read(_PIECE))
    return b"".join(pieces)
