"""A budget that is not exceeded."""

from __future__ import annotations

import asyncio

import pytest

from kazu_distill.errors import ConfigError
from kazu_distill.llm.budget import Budget, BudgetSpent


def spend(budget: Budget, *, requests: int, expected: float, cost: float, at_once: int = 1000) -> list[bool]:
    """Whether each of some requests at once was paid for."""

    async def request() -> bool:
        try:
            aside = await budget.set_aside(lambda: (expected, at_once))
        except BudgetSpent:
            return False
        await asyncio.sleep(0)
        budget.settle(aside, cost)
        return True

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(request() for _ in range(requests)))

    return asyncio.run(all_of_them())


def test_requests_end_before_the_budget_does() -> None:
    budget = Budget(1.0)
    paid = spend(budget, requests=100, expected=0.03, cost=0.03)
    assert (paid.count(True), budget.is_spent) == (33, True)
    assert budget.spent_usd <= 1.0


def test_what_requests_leave_over_pays_for_others() -> None:
    budget = Budget(1.0)
    assert spend(budget, requests=100, expected=0.5, cost=0.005).count(True) == 100
    assert budget.spent_usd == pytest.approx(0.5)


def test_a_request_that_failed_gives_its_money_back() -> None:
    assert spend(Budget(0.1), requests=50, expected=0.09, cost=0.0).count(True) == 50


def test_no_budget_is_no_bound() -> None:
    budget = Budget(None)
    assert all(spend(budget, requests=9, expected=1e9, cost=2.0))
    assert budget.spent_usd == 18


@pytest.mark.parametrize("usd", [0, -1.0])
def test_a_budget_of_nothing_is_told(usd: float) -> None:
    with pytest.raises(ConfigError, match="budget_usd="):
        Budget(usd)
