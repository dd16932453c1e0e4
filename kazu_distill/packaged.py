"""Models whose files a Python package carries, for machines without a model hub."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kazu_distill.errors import ConfigError


def packaged_folder(package: str, folder: str) -> str:
    """The path of a folder beside a package's ``__init__.py``.

    Raises:
        ConfigError: the package is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(f"the encoder needs the Python package {package}: pip install {package.replace('_', '-')}")
    return str(Path(found.origin).parent / folder)
