"""How many tokens what is shown may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_Shown = TypeVar("_Shown")


def within(shown: Iterable[_Shown], tokens: Callable[[_Shown], int], most: int) -> list[_Shown]:
    """What fits, in the order given; what does not is left out whole, and what comes after it may still fit."""
    kept: list[_Shown] = []
    for one in shown:
        needed = tokens(one)
        if needed <= most:
            kept.append(one)
            most -= needed
    return kept
