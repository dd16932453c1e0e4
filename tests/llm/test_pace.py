"""When requests may go out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from kazu_distill.errors import ConfigError
from kazu_distill.llm.pace import Pace, TokenBucket
from kazu_distill.llm.protocol import Allowance

_T = TypeVar("_T")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(what: Callable[[], Awaitable[_T]]) -> _T:
    async def inside() -> _T:
        return await what()

    return asyncio.run(inside())


def test_a_bucket_lets_out_what_its_rate_allows() -> None:
    clock = Clock()
    bucket = TokenBucket(600, clock=clock)  # ten a second, sixty in store
    taken = 0
    for _ in range(100):
        while bucket.wait_s(1) == 0:
            bucket.take(1)
            taken += 1
        clock.now += 0.1
    assert taken == 60 + 99
    assert bucket.wait_s(1) == 0
    bucket.take(1)
    assert bucket.wait_s(1) == pytest.approx(0.1)


def test_what_is_more_than_a_bucket_holds_waits_for_a_full_one_and_is_owed() -> None:
    clock = Clock()
    bucket = TokenBucket(600, clock=clock)
    assert bucket.wait_s(1000) == 0
    bucket.take(1000)
    assert bucket.wait_s(1) == pytest.approx(94.1)


def test_a_bucket_takes_the_lower_of_two_limits() -> None:
    bucket = TokenBucket(None, clock=Clock())
    assert bucket.wait_s(1e9) == 0
    bucket.limit(1200)
    bucket.limit(6000)
    bucket.limit(None)
    assert bucket.per_minute == 1200


def test_no_more_requests_are_under_way_than_allowed_and_they_keep_their_order() -> None:
    async def most_at_once() -> tuple[int, list[int]]:
        pace, under_way, most, order = Pace(max_concurrency=3), 0, 0, []

        async def request(number: int) -> None:
            nonlocal under_way, most
            await pace.begin(1)
            order.append(number)
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.001)
            under_way -= 1
            pace.end()

        await asyncio.gather(*map(request, range(50)))
        return most, order

    most, order = run(most_at_once)
    assert most == 3
    assert order == list(range(50))


def test_a_request_that_is_cancelled_while_it_waits_or_as_it_is_let_out_takes_no_place() -> None:
    async def went_out() -> int:
        pace = Pace(max_concurrency=1)
        await pace.begin(1)
        waiting = [asyncio.create_task(pace.begin(1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        pace.end()  # lets the second one out, which is cancelled before it hears of it
        waiting[1].cancel()
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        await asyncio.wait_for(waiting[2], 5)
        return sum(not task.cancelled() for task in waiting)

    assert run(went_out) == 1


def test_a_first_rejection_holds_the_whole_pool_back_as_long_as_the_provider_says() -> None:
    async def waited() -> float:
        pace = Pace(max_concurrency=8)
        begun = await pace.begin(1)
        pace.rate_limited(begun=begun, wait_s=0.2)
        pace.end()
        return await pace.begin(1) - begun

    assert run(waited) >= 0.2


def test_a_rejection_among_many_answers_slows_the_pool_and_does_not_stop_it() -> None:
    async def outcome() -> tuple[float, float]:
        pace = Pace(max_concurrency=20)
        for number in range(1, 101):
            begun = await pace.begin(1)
            if number % 20:
                pace.answered(estimated=1, used=1)
            else:
                pace.rate_limited(begun=begun, wait_s=60)
            pace.end()
        started = time.monotonic()
        await pace.begin(1)
        return pace.width, time.monotonic() - started

    width, waited = run(outcome)
    assert width >= 19
    assert waited < 5


def test_a_pool_that_is_rejected_narrows_and_recovers() -> None:
    async def widths() -> tuple[float, float]:
        pace = Pace(max_concurrency=32)
        for _ in range(5):
            pace.rate_limited(begun=await pace.begin(1), wait_s=0)
            pace.end()
        narrow = pace.width
        for _ in range(400):
            await pace.begin(1)
            pace.answered(estimated=1, used=1)
            pace.end()
        return narrow, pace.width

    narrow, recovered = run(widths)
    assert 1 <= narrow < 4
    assert recovered == 32


def test_rejections_of_requests_that_went_out_before_the_pool_slowed_slow_it_once() -> None:
    async def width() -> float:
        pace = Pace(max_concurrency=32)
        begun = [await pace.begin(1) for _ in range(32)]
        for moment in begun:
            pace.rate_limited(begun=moment, wait_s=0)
            pace.end()
        return pace.width

    assert run(width) == 15.5


def test_the_provider_s_own_limit_is_kept() -> None:
    async def seconds() -> float:
        pace = Pace(max_concurrency=100)
        await pace.begin(10)
        pace.answered(estimated=10, used=10, allowance=Allowance(requests_per_minute=600))
        pace.end()
        started = time.monotonic()
        for _ in range(63):  # sixty are in store, the others come every tenth of a second
            await pace.begin(10)
        return time.monotonic() - started

    assert run(seconds) >= 0.25


def test_tokens_that_were_used_beyond_what_was_expected_are_made_up_for() -> None:
    async def seconds() -> float:
        pace = Pace(max_concurrency=9, tokens_per_minute=60_000)
        await pace.begin(100)
        pace.answered(estimated=100, used=6300)  # the bucket holds 6000, and fills by 1000 a second
        pace.end()
        started = time.monotonic()
        await pace.begin(1)
        return time.monotonic() - started

    assert run(seconds) >= 0.25


@pytest.mark.parametrize(("concurrency", "tokens"), [(0, None), (1, 0)])
def test_limits_that_let_nothing_out_are_told(concurrency: int, tokens: float | None) -> None:
    with pytest.raises(ConfigError, match=r"llm\.\w+=0"):
        Pace(max_concurrency=concurrency, tokens_per_minute=tokens)
