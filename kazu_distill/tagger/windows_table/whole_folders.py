"""A cache of folders: the newest only, which is there whole or not at all."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_OURS = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\..*\.partial")


@contextmanager
def whole_folder(cache: Path, key: str) -> Iterator[Path | None]:
    """Make the folder ``cache / key``: gives an empty folder that takes this name at the end; None if it is there.

    Processes come in one after another. What others were killed in the midst of, and folders of other keys, are
    removed; a run that has mapped one of them keeps what it has.

    Args:
        cache: where the folders are.
        key: 64 hexadecimal digits, by which contents of one kind are told from all others.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("ab") as lock:
        _wait_for(lock)
        for other in cache.iterdir():
            if other.name != key and _OURS.fullmatch(other.name):
                shutil.rmtree(other, ignore_errors=True)  # on Windows one that is in use stays until the next time
        if (cache / key).is_dir():
            yield None
            return
        # A name of its own, which what a killed run has left behind, a process even, does not know.
        partial = Path(tempfile.mkdtemp(prefix=f".{key}.", suffix=".partial", dir=cache))
        try:
            yield partial
            partial.rename(cache / key)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _wait_for(lock: IO[bytes]) -> None:
    """Wait until no other process holds the lock; it goes with the process, however that ends."""
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_EX)
