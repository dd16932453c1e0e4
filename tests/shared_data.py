"""Where the public corpora lie that some tests read; they are not part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """A file or folder in ``../shared/data``; skips the test where that is absent, as on a user's own machine."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(f"needs {path}, which is not part of the project")
    return path
