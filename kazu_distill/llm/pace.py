"""When the next request may go out: how many at once, how many and how much a minute, and pauses of the whole pool."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from kazu_distill.errors import require_number
from kazu_distill.llm.protocol import Allowance

# One rejection takes a place of the pool away, ten answers give it back: a provider that rejects now and then at random
# (fewer than one in eleven) is asked at full width, one that is full by so few that it hardly rejects.
_GIVEN_BACK = 0.1
# Above this share of the latest outcomes it is the pool that is limited, and not a request that had bad luck.
_POOL_IS_LIMITED = 0.25


class Pace:
    """Lets requests out in the order in which they come.

    Args:
        max_concurrency: requests under way at once.
        requests_per_minute: None is as many as there are; the provider's own word can lower it.
        tokens_per_minute: likewise, of what is sent and what is answered.
        clock: seconds, monotonic.

    Raises:
        ConfigError: a limit that lets nothing out.
    """

    def __init__(
        self,
        *,
        max_concurrency: int,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        require_number("llm.max_concurrency", max_concurrency, above=0, whole=True)
        for name, limit in (("requests_per_minute", requests_per_minute), ("tokens_per_minute", tokens_per_minute)):
            if limit is not None:
                require_number(f"llm.{name}", limit, above=0)
        self.max_concurrency = max_concurrency
        self.width = float(max_concurrency)
        self._clock = clock
        self._requests = TokenBucket(requests_per_minute, clock=clock)
        self._tokens = TokenBucket(tokens_per_minute, clock=clock)
        self._under_way = 0
        self._paused_until = -math.inf
        self._slowed_at = -math.inf
        self._limited: deque[bool] = deque(maxlen=max(8, max_concurrency))
        self._waiting: deque[tuple[asyncio.Future[float], float]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def allowance(self) -> Allowance:
        """The limits that are kept."""
        return Allowance(self._requests.per_minute, self._tokens.per_minute)

    async def begin(self, tokens: float) -> float:
        """Wait until a request of about so many tokens may go out; returns the moment at which it does.

        Every ``begin`` that returns is followed by one ``end``.
        """
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, tokens))
        self._let_out()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it had been let out
                self.end()
            raise

    def end(self) -> None:
        """A request is no longer under way, whatever came of it."""
        self._under_way -= 1
        self._let_out()

    def answered(self, *, estimated: float, used: float, allowance: Allowance | None = None) -> None:
        """A request was answered: with how many tokens, and what the provider said of its limits."""
        self._limited.append(False)
        self.width = min(float(self.max_concurrency), self.width + _GIVEN_BACK)
        self._tokens.take(used - estimated)
        if allowance is not None:
            self._requests.limit(allowance.requests_per_minute)
            self._tokens.limit(allowance.tokens_per_minute)

    def rate_limited(self, *, begun: float, wait_s: float) -> None:
        """A request that went out at ``begun`` was one too many; it is to be asked again after ``wait_s`` seconds."""
        self._limited.append(True)
        if begun < self._slowed_at:  # it belongs to what the pool was slowed for already
            self._paused_until = max(self._paused_until, self._clock() + wait_s)
            return
        self.width = max(1.0, self.width - 1)
        if sum(self._limited) > _POOL_IS_LIMITED * len(self._limited):
            self._slowed_at = self._clock()
            self._paused_until = max(self._paused_until, self._slowed_at + wait_s)
            self.width = max(1.0, self.width / 2)
            self._limited.clear()

    def _let_out(self) -> None:
        """Let out all who may go, first come first; the next is looked at when one ends, or when its time has come."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._waiting:
            turn, tokens = self._waiting[0]
            if not turn.done():  # else it was cancelled
                wait_s = self._wait_s(tokens)
                if wait_s > 0:
                    if math.isfinite(wait_s):
                        self._alarm = asyncio.get_running_loop().call_later(wait_s, self._let_out)
                    return
                self._requests.take(1)
                self._tokens.take(tokens)
                self._under_way += 1
                turn.set_result(self._clock())
            self._waiting.popleft()

    def _wait_s(self, tokens: float) -> float:
        """Seconds until there is something to be looked at again; 0 is go, infinity waits for another's end."""
        if self._under_way >= math.floor(self.width):
            return math.inf
        paused_s = self._paused_until - self._clock()
        return max(0.0, paused_s, self._requests.wait_s(1), self._tokens.wait_s(tokens))


class TokenBucket:
    """What may be taken, filled evenly up to a tenth of a minute's worth; it can be owed more than it holds.

    A tenth, so that a run does not begin with a whole minute's requests in one second, which providers reject.
    """

    def __init__(self, per_minute: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._filled_at = clock()
        self._level = self._capacity

    def wait_s(self, amount: float) -> float:
        """Seconds until an amount may be taken; one that is more than the bucket ever holds waits for a full bucket."""
        if self.per_minute is None:
            return 0.0
        self._fill()
        missing = min(amount, self._capacity) - self._level
        return missing * 60 / self.per_minute if missing > 1e-9 else 0.0

    def take(self, amount: float) -> None:
        """Take an amount out, or put it back where it is negative."""
        if self.per_minute is not None:
            self._fill()
            self._level = min(self._capacity, self._level - amount)

    def limit(self, per_minute: float | None) -> None:
        """Let the bucket fill no faster than this; None changes nothing."""
        if per_minute is None or (self.per_minute is not None and self.per_minute <= per_minute):
            return
        unlimited = self.per_minute is None
        self._fill()
        self.per_minute = per_minute
        self._level = self._capacity if unlimited else min(self._level, self._capacity)

    @property
    def _capacity(self) -> float:
        return math.inf if self.per_minute is None else max(1.0, self.per_minute / 10)

    def _fill(self) -> None:
        now = self._clock()
        if self.per_minute is not None:
            self._level = min(self._capacity, self._level + (now - self._filled_at) * self.per_minute / 60)
        self._filled_at = now
