"""What a provider does to many requests: limits by the minute, faults by chance, and a count of it all."""

from __future__ import annotations

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

from tests.llm_wire import Fault


class Bucket:
    """A token bucket that holds a minute's worth, full at first; None is no limit."""

    def __init__(self, per_minute: float | None, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._filled_at = clock()
        self._level = per_minute or 0.0

    @property
    def remaining(self) -> int:
        """What may be taken now."""
        return max(0, math.floor(self._fill()))

    @property
    def reset_s(self) -> float:
        """Seconds until it is full again."""
        return ((self.per_minute or 0.0) - self._fill()) * self._seconds_each()

    def wait_s(self, amount: float) -> float:
        """Seconds until so much may be taken; what is more than the bucket holds waits for a full one."""
        if self.per_minute is None:
            return 0.0
        return max(0.0, min(amount, self.per_minute) - self._fill()) * self._seconds_each()

    def take(self, amount: float) -> None:
        """Take it, even where that is more than there is."""
        if self.per_minute is not None:
            self._level = self._fill() - amount

    def _fill(self) -> float:
        limit, now = self.per_minute or 0.0, self._clock()
        self._level = min(limit, self._level + (now - self._filled_at) * limit / 60)
        self._filled_at = now
        return self._level

    def _seconds_each(self) -> float:
        return 60 / self.per_minute if self.per_minute else 0.0


class RateLimits:
    """Requests and tokens a minute, as OpenAI counts and reports them.

    https://developers.openai.com/api/docs/guides/rate-limits has the names and forms of the headers.
    """

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = {"requests": Bucket(requests_per_minute, clock), "tokens": Bucket(tokens_per_minute, clock)}

    def admit(self, tokens: int) -> float:
        """Take a request with so many tokens, or tell after how many seconds it would be taken; 0 is taken."""
        wait_s = max(self._buckets["requests"].wait_s(1), self._buckets["tokens"].wait_s(tokens))
        if wait_s < 1e-6:  # less is a rounding error
            self._buckets["requests"].take(1)
            self._buckets["tokens"].take(tokens)
            return 0.0
        return wait_s

    def charge(self, tokens: int) -> None:
        """Take the tokens of an answer, which nobody knew before."""
        self._buckets["tokens"].take(tokens)

    def headers(self) -> dict[str, str]:
        """How OpenAI tells what is left; empty without limits."""
        headers = {}
        for name, bucket in self._buckets.items():
            if bucket.per_minute is not None:
                headers[f"x-ratelimit-limit-{name}"] = f"{bucket.per_minute:.0f}"
                headers[f"x-ratelimit-remaining-{name}"] = str(bucket.remaining)
                headers[f"x-ratelimit-reset-{name}"] = duration(bucket.reset_s)
        return headers


def duration(seconds: float) -> str:
    """A time as OpenAI's headers have it: ``0s``, ``120ms``, ``8.64s``, ``6m0s``, ``1h2m5s``."""
    milliseconds = math.ceil(seconds * 1000)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{before}{rest / 1000:g}s"


class FaultChance:
    """Which fault a request meets. Every attempt at the same request draws anew; the same seed draws the same.

    Args:
        shares: the share of requests, 0 to 1, that meet each fault.
        seed: of the draws.
    """

    def __init__(self, shares: Mapping[Fault, float], *, seed: int) -> None:
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise ValueError(f"shares of faults lie between 0 and 1, and so does their sum: {dict(shares)}")
        self._bounds = list(zip(accumulate(shares.values()), shares, strict=True))
        self._seed = seed

    def draw(self, request: bytes, attempt: int) -> Fault | None:
        """The fault of the n-th attempt at a request."""
        if not self._bounds:
            return None
        drawn = hashlib.blake2b(request + b"%d %d" % (self._seed, attempt), digest_size=8).digest()
        place = int.from_bytes(drawn, "big") / 2**64
        return next((fault for bound, fault in self._bounds if place < bound), None)


class Tally:
    """Counts requests; it remembers each by eight bytes only."""

    def __init__(self) -> None:
        self.most_at_once = 0
        self.faults: Counter[Fault] = Counter()
        self.over_limit = 0
        self._at_once = 0
        self._attempts: dict[bytes, int] = {}
        self._answered: set[bytes] = set()
        self._requests = self._repeated = 0
        self._first = self._last = 0.0

    def begin(self, raw: bytes) -> tuple[bytes, int]:
        """Count a request; returns what it is remembered by, and which attempt at it this is, from 1."""
        request = hashlib.blake2b(raw, digest_size=8).digest()
        self._last = time.time()
        self._first = self._first or self._last
        self._requests += 1
        self._repeated += request in self._answered
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        attempt = self._attempts[request] = self._attempts.get(request, 0) + 1
        return request, attempt

    def end(self) -> None:
        """A request is no longer under way."""
        self._at_once -= 1

    def answered(self, request: bytes) -> None:
        """A whole and faultless answer has been sent."""
        self._answered.add(request)

    def as_mapping(self) -> dict[str, Any]:
        """What GET /statistics tells; times are seconds since the epoch.

        ``repeated`` counts requests that had been answered in full before, ``over_limit`` those that were one too many
        for the limits by the minute, ``faults`` what else went wrong.
        """
        return {
            "requests": self._requests,
            "distinct": len(self._attempts),
            "answered": len(self._answered),
            "repeated": self._repeated,
            "over_limit": self.over_limit,
            "faults": {fault.name.lower(): count for fault, count in self.faults.items()},
            "under_way": self._at_once,
            "most_at_once": self.most_at_once,
            "first_request": self._first,
            "last_request": self._last,
        }
