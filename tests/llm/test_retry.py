"""Asking again: how often, how long between, and when not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import LLM, Answer, LLMError, RateLimited, Refused, Rejected, ServerFailed, Unreachable
from kazu_distill.llm.retry import RetryPolicy, ask_with_retries
from tests.llm.asking import QUESTION, TEXT, client_of, server
from tests.llm_server import Fault

PATIENT = RetryPolicy(attempts=5, first_wait_s=1, longest_wait_s=60)


def _ask(llm: LLM, policy: RetryPolicy) -> tuple[Answer | LLMError, list[float]]:
    """What came of it, and the waits in between, none of which is really waited for."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def outcome() -> Answer | LLMError:
        try:
            return await ask_with_retries(llm, QUESTION, policy=policy, chance=random.Random(1), sleep=sleep)
        except LLMError as error:
            return error
        finally:
            await llm.close()

    return asyncio.run(outcome()), waits


def _against(faults: Sequence[Fault], policy: RetryPolicy = PATIENT, **settings: str) -> tuple[str, list[float], int]:
    with server(faults=faults, **settings) as llm_server:
        outcome, waits = _ask(client_of("openai", llm_server.url), policy)
        return outcome.text if isinstance(outcome, Answer) else type(outcome).__name__, waits, len(llm_server.received)


def test_failures_that_pass_are_outlived() -> None:
    text, waits, requests = _against([Fault.SERVER_ERROR, Fault.DROPPED, Fault.RATE_LIMITED, Fault.NOT_JSON])
    assert (text, len(waits), requests) == (TEXT, 4, 5)


def test_the_last_attempt_ends_it() -> None:
    text, waits, requests = _against([Fault.SERVER_ERROR] * 9)
    assert (text, len(waits), requests) == ("ServerFailed", 4, 5)


@pytest.mark.parametrize(
    "fault", [Fault.KEY_REFUSED, Fault.MODEL_UNKNOWN, Fault.QUOTA_USED_UP, Fault.REJECTED, Fault.TOO_LONG]
)
def test_what_cannot_pass_is_asked_once(fault: Fault) -> None:
    _, waits, requests = _against([fault] * 9)
    assert (waits, requests) == ([], 1)


def test_the_provider_is_obeyed_when_it_says_how_long_to_wait() -> None:
    _, waits, _ = _against([Fault.RATE_LIMITED], retry_after="30")
    assert 30 <= waits[0] <= 31


def test_a_provider_that_asks_for_too_long_is_not_asked_again() -> None:
    text, waits, requests = _against([Fault.RATE_LIMITED], retry_after="3600")
    assert (text, waits, requests) == ("RateLimited", [], 1)


def test_a_server_that_is_not_there_yet_is_tried_again() -> None:
    outcome, waits = _ask(client_of("openai", "http://127.0.0.1:9"), PATIENT)
    assert isinstance(outcome, Unreachable)
    assert len(waits) == 4


@given(st.integers(0, 2**32), st.integers(1, 2000))
def test_a_wait_doubles_up_to_its_bound_and_half_of_it_is_chance(seed: int, failed: int) -> None:
    policy = RetryPolicy(attempts=5000, first_wait_s=0.5, longest_wait_s=60)
    wait = policy.wait_s(failed, ServerFailed("x"), random.Random(seed))
    longest = min(60, 0.5 * 2 ** min(failed - 1, 20))
    assert wait is not None
    assert longest / 2 <= wait <= longest


def test_requests_that_failed_together_do_not_come_back_together() -> None:
    chance = random.Random(1)
    for error in (ServerFailed("x"), RateLimited("x", retry_after_s=5)):
        assert len({PATIENT.wait_s(1, error, chance) for _ in range(20)}) == 20


@pytest.mark.parametrize("error", [Refused("x"), Rejected("x")])
def test_a_final_error_has_no_wait(error: LLMError) -> None:
    assert PATIENT.wait_s(1, error, random.Random(1)) is None


@pytest.mark.parametrize("values", [(0, 1, 2), (3, -1, 2), (3, 5, 2)])
def test_a_policy_that_makes_no_sense_is_told(values: tuple[int, float, float]) -> None:
    with pytest.raises(ConfigError, match=r"llm\.retry"):
        RetryPolicy(*values)
