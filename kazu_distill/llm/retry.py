"""Asking again when that can help: bounded, waiting longer each time, and as long as the provider says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import LLM, Answer, LLMError, Request


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to ask (the first time included), and how long to wait between, in seconds.

    Raises:
        ConfigError: a value makes no sense.
    """

    attempts: int
    first_wait_s: float
    longest_wait_s: float

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError(f"llm.retry.attempts={self.attempts}: ask at least once")
        if not 0 <= self.first_wait_s <= self.longest_wait_s:
            raise ConfigError("llm.retry: 0 <= first_wait_s <= longest_wait_s is needed")

    def wait_s(self, failed: int, error: LLMError, chance: random.Random) -> float | None:
        """Seconds to wait after the ``failed``-th failure (1 is the first); None where asking again is no use.

        The wait doubles each time, and half of it is by chance, so that requests that failed together do not come
        back together. A provider that says how long to wait is obeyed; one that asks for longer than
        ``longest_wait_s`` is not asked again, since a shorter wait would be a wasted attempt.
        """
        if not error.retryable or failed >= self.attempts:
            return None
        if error.retry_after_s is not None:
            if error.retry_after_s > self.longest_wait_s:
                return None
            return error.retry_after_s + chance.uniform(0, self.first_wait_s)
        # The exponent is bounded so that a patient policy does not overflow.
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failed - 1, 64))
        return chance.uniform(longest / 2, longest)


async def ask_with_retries(
    llm: LLM,
    request: Request,
    *,
    policy: RetryPolicy,
    chance: random.Random,
    on_retry: Callable[[LLMError, float], None] = lambda _error, _wait_s: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Answer:
    """Ask until there is an answer, or until the policy gives up.

    Args:
        on_retry: told of each failure that is tried again, and of the seconds until then.

    Raises:
        LLMError: the last failure.
    """
    failed = 0
    while True:
        try:
            return await llm.ask(request)
        except LLMError as error:
            failed += 1
            wait_s = policy.wait_s(failed, error, chance)
            if wait_s is None:
                raise
            on_retry(error, wait_s)
        await sleep(wait_s)
