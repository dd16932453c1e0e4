"""How much work a piece of code does, counted, so that a test of its growth does not depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def calls(piece: Callable[[], object]) -> int:
    """The number of calls that a piece of code makes, of Python's functions and of built-in ones."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        piece()
    finally:
        sys.setprofile(before)
    return count
