"""Asking again: how often, how long between, and when not at all."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import Dropped, LLMError, RateLimited, Refused, Rejected, ServerFailed, TimedOut
from tests.llm.asking import retry_policy

PATIENT = retry_policy(rate_limit=3, server_error=4, timeout=1, first_wait_s=1, longest_wait_s=60)


def waits_of(error: LLMError) -> list[float]:
    """The waits between the attempts of a request that always fails."""
    chance, failures, waits = random.Random(1), Counter[type[LLMError]](), list[float]()
    while True:
        failures[type(error)] += 1
        wait_s = PATIENT.wait_s(failures, error, chance)
        if wait_s is None:
            return waits
        waits.append(wait_s)


@pytest.mark.parametrize(
    ("error", "again"),
    [(RateLimited("x"), 3), (ServerFailed("x"), 4), (TimedOut("x"), 1), (Refused("x"), 0), (Rejected("x"), 0)],
)
def test_each_kind_of_failure_has_its_own_number_of_attempts(error: LLMError, again: int) -> None:
    assert len(waits_of(error)) == again


def test_one_kind_does_not_use_up_the_attempts_of_another() -> None:
    failures = Counter[type[LLMError]]({ServerFailed: 4, TimedOut: 1, Dropped: 1})
    assert PATIENT.wait_s(failures, Dropped("x"), random.Random(1)) is not None


def test_the_provider_is_obeyed_when_it_says_how_long_to_wait() -> None:
    assert all(30 <= wait <= 31 for wait in waits_of(RateLimited("x", retry_after_s=30)))


def test_a_provider_that_asks_for_too_long_is_not_asked_again() -> None:
    error = RateLimited("x", retry_after_s=3600)
    assert waits_of(error) == []
    assert PATIENT.is_too_long(error)


@given(st.integers(0, 2**32), st.integers(1, 2000))
def test_a_wait_doubles_up_to_its_bound_and_half_of_it_is_chance(seed: int, failed: int) -> None:
    policy = retry_policy(server_error=5000, first_wait_s=0.5, longest_wait_s=60)
    wait = policy.wait_s(Counter({ServerFailed: failed}), ServerFailed("x"), random.Random(seed))
    longest = min(60, 0.5 * 2 ** min(failed - 1, 20))
    assert wait is not None
    assert longest / 2 <= wait <= longest


def test_requests_that_failed_together_do_not_come_back_together() -> None:
    chance = random.Random(1)
    for error in (ServerFailed("x"), RateLimited("x", retry_after_s=5)):
        assert len({PATIENT.wait_s(Counter({type(error): 1}), error, chance) for _ in range(20)}) == 20


@pytest.mark.parametrize("values", [{"timeout": -1}, {"first_wait_s": -1}, {"first_wait_s": 5, "longest_wait_s": 2}])
def test_a_policy_that_makes_no_sense_is_told(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"llm\.retry"):
        retry_policy(**values)
