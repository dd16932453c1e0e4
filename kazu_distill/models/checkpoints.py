"""Checkpoints of a run that was ended before its time: which one the same run may go on from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

_KEY, _STATE = "run.key", "trainer_state.json"


def resumable(folder: Path, key: str) -> Path | None:
    """The latest whole checkpoint in a folder, if they are of this run; else the folder is made empty.

    Args:
        folder: of checkpoints.
        key: names everything that the weights depend on.
    """
    noted = folder / _KEY
    if noted.is_file() and noted.read_text(encoding="utf-8") == key:
        for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1])):
            if is_whole(checkpoint):
                return checkpoint
            shutil.rmtree(checkpoint)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    noted.write_text(key, encoding="utf-8")
    return None


def is_whole(checkpoint: Path) -> bool:
    """Whether the Trainer's state, which it writes last, is there to its end."""
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
