"""Asking with a memory: out of the store where the answer is known, else out of the model, and into the store."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import LLM, Answer, LLMError, NotInStore, Price, Rejected, Request, Unreachable
from kazu_distill.llm.retry import RetryPolicy, ask_with_retries
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
        max_concurrency: requests under way at once. One that waits to be asked again counts, so that a provider that
            limits us is asked by fewer.
        offline: answer out of the store only.
        chance: where the waits' chance comes from.
    """

    def __init__(
        self,
        *,
        llm: LLM,
        store: AnswerStore,
        retry: RetryPolicy,
        max_concurrency: int,
        offline: bool = False,
        chance: random.Random | None = None,
    ) -> None:
        if max_concurrency < 1:
            raise ConfigError(f"llm.max_concurrency={max_concurrency}: at least one request must be under way")
        self.statistics = Statistics(price=llm.price)
        self.max_concurrency = max_concurrency
        self._llm = llm
        self._store = store
        self._retry = retry
        self._slots = asyncio.Semaphore(max_concurrency)
        self._offline = offline
        self._chance = chance or random.Random()
        self._under_way: dict[str, asyncio.Lock] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """What of the model determines an answer."""
        return self._llm.identity

    @property
    def price(self) -> Price | None:
        """What the model costs, if that is known."""
        return self._llm.price

    async def ask(self, request: Request) -> Answer:
        """The stored answer, or a new one. Two same requests at once are asked once.

        Raises:
            NotInStore: the run is offline and there is no stored answer.
            LLMError: no answer came back after all attempts.
            StoreError: the store cannot be used.
        """
        key = request_key(self._llm.identity, request)
        lock = self._under_way.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                stored = self._store.get(key)
                if stored is not None:
                    self.statistics.from_store += 1
                    return stored
                return await self._ask_and_keep(request)
        finally:
            # Whoever still waits for the lock holds it by reference; a newcomer finds the answer in the store.
            if not lock.locked():
                self._under_way.pop(key, None)

    async def close(self) -> None:
        """Close the model's connections."""
        await self._llm.close()

    async def _ask_and_keep(self, request: Request) -> Answer:
        if self._offline:
            raise NotInStore("the store has no answer to this request: run again without llm.offline=true")
        _check_unicode(request.user)
        try:
            async with self._slots:
                answer = await ask_with_retries(
                    self._llm, request, policy=self._retry, chance=self._chance, on_retry=self._count_retry
                )
        except LLMError:
            self.statistics.failed += 1
            raise
        answer = _with_valid_unicode(answer)
        self.statistics.count(answer)
        self._store.put(self._llm.identity, request, answer)
        return answer

    def _count_retry(self, error: LLMError, wait_s: float) -> None:
        self.statistics.retries += 1
        if (
            isinstance(error, Unreachable)
            and not self.statistics.asked
            and self.statistics.retries > self.max_concurrency
        ):
            raise error  # nobody was ever there, and some request is at its second attempt: the address is wrong
        _log.info("asking again in %.1f s: %s", wait_s, error)


def connect(
    *,
    client: Callable[..., LLM],
    store: AnswerStore,
    retry: RetryPolicy,
    max_concurrency: int,
    offline: bool,
    model: str,
    price: Price | None,
    **settings: Any,
) -> Asker:
    """An asker out of the flat settings of ``conf/llm``: what is not the asker's is the client's.

    A price that is for another model than the one asked would be a wrong figure in the report, so it is left out.
    """
    if price is not None and price.model not in (None, model):
        _log.warning("llm.price is for %s, so what %s costs is not known: set llm.price", price.model, model)
        price = None
    llm = client(model=model, price=price, offline=offline, **settings)
    return Asker(llm=llm, store=store, retry=retry, max_concurrency=max_concurrency, offline=offline)


def _check_unicode(text: str) -> None:
    """Half a surrogate pair can be neither sent nor stored; it comes from a file that was cut or decoded wrongly."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Rejected(f"the text is not valid Unicode at character {error.start}: mend the corpus") from None


def _with_valid_unicode(answer: Answer) -> Answer:
    """A model can write half a surrogate pair as a JSON escape; it becomes U+FFFD."""
    text = answer.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Answer(text, answer.finish_reason, answer.usage, answer.latency_s)
