"""What tells one model from all others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_SAID_ONLY = {".md"}  # files that a reader may edit and nothing depends on


def fingerprint(folder: Path) -> str:
    """A hash of all that a model's folder says."""
    return _hash(folder, (file for file in folder.rglob("*") if file.is_file() and file.suffix not in _SAID_ONLY))


def hash_of_weights(folder: Path) -> str | None:
    """A hash of a model's weights alone; None where the folder has none."""
    files = list(folder.glob("*.safetensors"))
    return _hash(folder, files) if files else None


def _hash(folder: Path, files: Iterable[Path]) -> str:
    """A hash of the names and contents of files."""
    digest = hashlib.blake2b(digest_size=32)
    for file in sorted(files):
        with file.open("rb") as content:
            own = hashlib.file_digest(content, "blake2b").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{own}\n".encode())
    return digest.hexdigest()
