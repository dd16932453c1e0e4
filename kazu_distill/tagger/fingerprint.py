"""What tells one model from all others."""

from __future__ import annotations

import hashlib
from pathlib import Path

_SAID_ONLY = {".md"}  # files that a reader may edit and nothing depends on


def fingerprint(folder: Path) -> str:
    """A hash of a model's folder: of the names and contents of its files."""
    digest = hashlib.blake2b(digest_size=32)
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix not in _SAID_ONLY):
        with file.open("rb") as content:
            own = hashlib.file_digest(content, "blake2b").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{own}\n".encode())
    return digest.hexdigest()
