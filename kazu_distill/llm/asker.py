"""Asking with a memory: out of the store where the answer is known, else out of the model, and into the store."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kazu_distill.errors import ConfigError, require_number
from kazu_distill.llm.budget import Budget
from kazu_distill.llm.expectation import Expectation, Size
from kazu_distill.llm.pace import Pace
from kazu_distill.llm.protocol import (
    LLM,
    Answer,
    HasRemarks,
    LLMError,
    NotAsked,
    NotInStore,
    Price,
    RateLimited,
    Refused,
    Rejected,
    Request,
    Unreachable,
)
from kazu_distill.llm.retry import RetryPolicy
from kazu_distill.llm.statistics import Statistics
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.stored_answer import request_key

_log = logging.getLogger(__name__)


class Asker:
    """A model with a store in front of it.

    Args:
        llm: the model.
        store: where answers are looked up and kept, whole or not; the caller closes it.
        retry: when to ask again.
        pace: when a request may go out. One that waits to be asked again is not under way.
        budget: what may be spent; it can be shared by several askers.
        samples: how many answers to a question are wanted; they are told apart by ``Request.sample``.
        offline: answer out of the store only.
        chance: where the waits' chance comes from.

    Raises:
        ConfigError: there is a budget, and the price is not known; or no sample is wanted.
    """

    def __init__(
        self,
        *,
        llm: LLM,
        store: AnswerStore,
        retry: RetryPolicy,
        pace: Pace,
        budget: Budget | None = None,
        samples: int = 1,
        offline: bool = False,
        chance: random.Random | None = None,
    ) -> None:
        self._budget = budget or Budget(None)
        if self._budget.usd is not None and llm.price is None:
            raise ConfigError(f"budget_usd needs the price of {llm.identity.get('model')}: set llm.price (conf/llm)")
        require_number("llm.samples", samples, above=0, whole=True)
        self.statistics = Statistics(price=llm.price)
        self.retry = retry
        self.pace = pace
        self.samples = samples
        self._llm = llm
        self._store = store
        self._offline = offline
        self._chance = chance or random.Random()
        self._expectation = Expectation(most_output=llm.identity.get("max_output_tokens"))
        self._under_way: dict[str, asyncio.Lock] = {}
        self._fatal = asyncio.Event()
        self.fatal: LLMError | None = None  # why no further request is made

    @property
    def identity(self) -> Mapping[str, Any]:
        """What of the model determines an answer."""
        return self._llm.identity

    @property
    def is_offline(self) -> bool:
        """Whether it answers out of the store only."""
        return self._offline

    @property
    def price(self) -> Price | None:
        """What the model costs, if that is known."""
        return self._llm.price

    def remarks(self) -> Sequence[str]:
        """What there is to say before the model is asked."""
        return self._llm.remarks() if isinstance(self._llm, HasRemarks) else ()

    def stored(self, request: Request) -> Answer | None:
        """The answer that is in the store already."""
        return self._store.get(request_key(self._llm.identity, request))

    async def ask(self, request: Request, *, again: bool = False, allowed: bool = True) -> Answer:
        """The stored answer, or a new one. Two same requests at once are asked once.

        Args:
            request: the question.
            again: ask even where there is an answer, and put the new one in its place.
            allowed: whether a request may be made at all.

        Raises:
            NotInStore: there is no stored answer, and the run is offline.
            NotAsked: there is no stored answer, and asking is not allowed, not paid for (``BudgetSpent``), or of no use
                since a ``fatal`` error.
            LLMError: no answer came back after all attempts.
            StoreError: the store cannot be used.
        """
        key = request_key(self._llm.identity, request)
        lock = self._under_way.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                stored = None if again else self._store.get(key)
                if stored is not None:
                    self.statistics.count_stored(stored)
                    return stored
                if self._offline:
                    raise NotInStore("the store has no answer to this request: run again without llm.offline=true")
                if not allowed:
                    raise NotAsked("the store has no answer to this request, and it is not one that failed")
                if self.fatal is not None:
                    raise NotAsked(str(self.fatal))
                return await self._ask_and_keep(key, request)
        finally:
            # Whoever still waits for the lock holds it by reference; a newcomer finds the answer, if there is one, in
            # the store.
            if not lock.locked():
                self._under_way.pop(key, None)

    async def close(self) -> None:
        """Close the model's connections."""
        await self._llm.close()

    async def _ask_and_keep(self, key: str, request: Request) -> Answer:
        _check_unicode(request)
        price, size = self._llm.price, self._expectation.size(request)
        set_aside = await self._budget.set_aside(lambda: self._expected_cost(size))
        spent = 0.0
        try:
            answer = await self._attempts(request, self._expectation.likely(size))
            self._expectation.learn(size, answer.usage)
            spent = price.cost(answer.usage) if price is not None else 0.0
            # At once, so that a run that is killed has paid for nothing that it does not have.
            self._store.put(self._llm.identity, request, answer, key=key)
        except LLMError as error:
            if error.fatal:
                self.fatal = self.fatal or error
                self._fatal.set()
            self.statistics.failed += 1
            raise
        finally:
            self._budget.settle(set_aside, spent)
        self.statistics.count(answer)
        return answer

    def _expected_cost(self, size: Size) -> tuple[float, int]:
        """US dollars that a request will hardly exceed, and how many may be under way: as many as there are answers."""
        price = self._llm.price
        return (price.cost(self._expectation.upper(size)) if price is not None else 0.0), self._expectation.answers

    async def _attempts(self, request: Request, tokens: int) -> Answer:
        """Ask until there is an answer, or until the policy gives up."""
        failures: Counter[type[LLMError]] = Counter()
        while True:
            begun = await self.pace.begin(tokens)
            try:
                if self.fatal is not None:  # meanwhile, and for good
                    raise self.fatal
                answer = await self._llm.ask(request)
            except LLMError as error:
                failures[type(error)] += 1
                wait_s = self._wait_s(failures, error, begun)
            else:
                used = answer.usage.input_tokens + answer.usage.output_tokens
                self.pace.answered(estimated=tokens, used=used or tokens, allowance=answer.allowance)
                return _with_valid_unicode(answer)
            finally:
                self.pace.end()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._fatal.wait(), wait_s)

    def _wait_s(self, failures: Counter[type[LLMError]], error: LLMError, begun: float) -> float:
        """Seconds until the next attempt; raises where there is none."""
        wait_s = self.retry.wait_s(failures, error, self._chance)
        if isinstance(error, RateLimited):
            if self.retry.is_too_long(error):
                longest = f"longer than llm.retry.longest_wait_s={self.retry.longest_wait_s:g}: run again later"
                wanted = f"the provider asks for a wait of {error.retry_after_s:,.0f} s"
                raise Refused(f"{error}; {wanted}, {longest}")
            self.pace.rate_limited(begun=begun, wait_s=wait_s or 0.0)
        nobody_there = isinstance(error, Unreachable) and not self.statistics.asked
        # Nobody was ever there, and some request is at its second attempt: the address is wrong.
        if wait_s is None or (nobody_there and self.statistics.retries.total() > self.pace.max_concurrency):
            raise error
        self.statistics.count_retry(error)
        _log.info("asking again in %.1f s: %s", wait_s, error)
        return wait_s


def connect(
    *,
    client: Callable[..., LLM],
    store: AnswerStore,
    retry: RetryPolicy,
    max_concurrency: int,
    samples: int,
    offline: bool,
    model: str | None,
    price: Price | None,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    budget: Budget | None = None,
    **settings: Any,
) -> Asker:
    """An asker out of the flat settings of ``conf/llm``: what is not the asker's is the client's.

    A price that is for another model than the one asked would be a wrong figure in the report, so it is left out.
    """
    if price is not None and price.model not in (None, model):
        _log.warning("llm.price is for %s, so what %s costs is not known: set llm.price", price.model, model)
        price = None
    if "timeout_s" in settings:  # of a server
        require_number("llm.timeout_s", settings["timeout_s"], above=0)
    if samples > 1 and settings.get("temperature") == 0:
        raise ConfigError(f"llm.samples={samples} at llm.temperature=0 would be the same answer each time")
    pace = Pace(
        max_concurrency=max_concurrency, requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute
    )
    llm = client(model=model, price=price, offline=offline, **settings)
    return Asker(llm=llm, store=store, retry=retry, pace=pace, budget=budget, samples=samples, offline=offline)


def _check_unicode(request: Request) -> None:
    """Half a surrogate pair can be neither sent nor stored; it comes from a file that was cut or decoded wrongly."""
    for text in (request.user, *(turn.text for turn in request.earlier)):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise Rejected(f"the text is not valid Unicode at character {error.start}: mend the corpus") from None


def _with_valid_unicode(answer: Answer) -> Answer:
    """A model can write half a surrogate pair as a JSON escape; it becomes U+FFFD."""
    try:
        answer.text.encode()
    except UnicodeEncodeError:
        text = answer.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Answer(text, answer.finish_reason, answer.usage, answer.latency_s)
    return answer
