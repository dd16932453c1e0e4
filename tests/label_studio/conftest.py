"""What the tests of this folder share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _connections_end_here() -> Iterator[None]:
    """The SDK's connections are closed when they are collected, which is not to fall into a test that forbids it."""
    yield
    gc.collect()
