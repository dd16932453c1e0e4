"""A budget that several models share: what is under way is set aside, so that it is not exceeded."""

from __future__ import annotations

import asyncio

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import NotAsked


class BudgetSpent(NotAsked):
    """What is left of the budget does not pay for another request."""


class Budget:
    """US dollars that one run may spend.

    Args:
        usd: the amount; None is no bound.

    Raises:
        ConfigError: nothing, or less, to spend.
    """

    def __init__(self, usd: float | None) -> None:
        if usd is not None and usd <= 0:
            raise ConfigError(f"budget_usd={usd}: it takes more than nothing; null is no bound")
        self.usd = usd
        self.spent_usd = 0.0
        self.is_spent = False
        self._set_aside = 0.0
        self._changed = asyncio.Event()

    async def set_aside(self, usd: float) -> None:
        """Reserve what a request is likely to cost; waits while others that are under way may leave enough.

        Raises:
            BudgetSpent: there is not enough left. From then on nothing is given out, so that a run stops at one point
                and not at the last request that is cheap enough.
        """
        if self.usd is None:
            return
        while not self.is_spent and self.spent_usd + self._set_aside + usd > self.usd:
            if self._set_aside == 0:
                self.is_spent = True
                break
            self._changed.clear()
            await self._changed.wait()
        if self.is_spent:
            self._changed.set()
            raise BudgetSpent(f"${self.usd - self.spent_usd:.4f} of budget_usd={self.usd:g} are left")
        self._set_aside += usd

    def settle(self, set_aside: float, spent: float) -> None:
        """A request that money was set aside for has ended, and cost so much."""
        self.spent_usd += spent
        if self.usd is not None:
            self._set_aside = max(0.0, self._set_aside - set_aside)
            if self._set_aside < 1e-12:  # what is left of it is rounding
                self._set_aside = 0.0
            self._changed.set()
