"""Asking again when that can help: how often by kind of failure, and how long to wait before."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import Dropped, LLMError, RateLimited, ServerFailed, TimedOut, Unreachable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is asked again after each kind of failure, and how long to wait before, in seconds.

    ``invalid_answer`` counts the times that a model is told what was wrong with its answer and asked for another.

    Raises:
        ConfigError: a value makes no sense.
    """

    rate_limit: int
    server_error: int
    timeout: int
    dropped_connection: int
    unreachable: int
    invalid_answer: int
    first_wait_s: float
    longest_wait_s: float

    def __post_init__(self) -> None:
        for kind in ("rate_limit", "server_error", "timeout", "dropped_connection", "unreachable", "invalid_answer"):
            if getattr(self, kind) < 0:
                raise ConfigError(f"llm.retry.{kind}={getattr(self, kind)}: 0 is never again, and less makes no sense")
        if not 0 <= self.first_wait_s <= self.longest_wait_s:
            raise ConfigError("llm.retry: 0 <= first_wait_s <= longest_wait_s is needed")

    def wait_s(self, failures: Counter[type[LLMError]], error: LLMError, chance: random.Random) -> float | None:
        """Seconds to wait before asking again; None where that is no use.

        The wait doubles each time, and half of it is by chance, so that requests that failed together do not come
        back together. A provider that says how long to wait is obeyed.

        Args:
            failures: of this request so far by class, ``error`` included.
            error: the latest of them.
            chance: where chance comes from.
        """
        again = self._again(error)
        if failures[type(error)] > again or self.is_too_long(error):
            return None
        if error.retry_after_s is not None:
            return error.retry_after_s + chance.uniform(0, min(self.first_wait_s, error.retry_after_s))
        # The exponent is bounded so that a patient policy does not overflow.
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures[type(error)] - 1, 64))
        return chance.uniform(longest / 2, longest)

    def is_too_long(self, error: LLMError) -> bool:
        """Whether the provider asks us to wait longer than we want; to ask before would be a wasted attempt."""
        return error.retry_after_s is not None and error.retry_after_s > self.longest_wait_s

    def _again(self, error: LLMError) -> int:
        by_class = {
            RateLimited: self.rate_limit,
            ServerFailed: self.server_error,
            TimedOut: self.timeout,
            Dropped: self.dropped_connection,
            Unreachable: self.unreachable,
        }
        return by_class.get(type(error), 0)
