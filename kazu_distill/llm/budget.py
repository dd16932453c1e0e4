"""A budget that several models share: what is under way is set aside, so that it is not exceeded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kazu_distill.errors import require_number
from kazu_distill.llm.protocol import NotAsked


class BudgetSpent(NotAsked):
    """What is left of the budget does not pay for another request."""


class Budget:
    """US dollars that one run may spend.

    Args:
        usd: the amount; None is no bound.

    Raises:
        ConfigError: nothing, or less, to spend; or no number.
    """

    def __init__(self, usd: float | None) -> None:
        if usd is not None:
            require_number("budget_usd", usd, above=0)
        self.usd = usd
        self.spent_usd = 0.0
        self.is_spent = False
        self._set_aside = 0.0
        self._under_way = 0
        self._changed = asyncio.Event()

    async def set_aside(self, expected: Callable[[], tuple[float, int]]) -> float:
        """Reserve what a request is likely to cost; waits while others that are under way may leave enough.

        Args:
            expected: what the request will hardly exceed, in US dollars, and how many may be under way on the strength
                of what is known. It is asked again after each wait, when more is known.

        Returns:
            What was set aside, for ``settle``.

        Raises:
            BudgetSpent: there is not enough left. From then on nothing is given out, so that a run stops at one point
                and not at the last request that is cheap enough.
        """
        if self.usd is None:
            return 0.0
        while not self.is_spent:
            usd, at_once = expected()
            fits = self.spent_usd + self._set_aside + usd <= self.usd
            if fits and self._under_way < max(1, at_once):
                self._set_aside += usd
                self._under_way += 1
                return usd
            if self._under_way == 0:
                self.is_spent = True
                self._changed.set()
            else:
                self._changed.clear()
                await self._changed.wait()
        raise BudgetSpent(f"${max(0.0, self.usd - self.spent_usd):.4f} of budget_usd={self.usd:g} are left")

    def settle(self, set_aside: float, spent: float) -> None:
        """A request that money was set aside for has ended, and cost so much."""
        self.spent_usd += spent
        if self.usd is not None:
            self._under_way -= 1
            self._set_aside = self._set_aside - set_aside if self._under_way else 0.0
            self._changed.set()
