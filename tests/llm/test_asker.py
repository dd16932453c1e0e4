"""Asking with a memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.errors import ConfigError
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.budget import Budget, BudgetSpent
from kazu_distill.llm.pace import Pace
from kazu_distill.llm.protocol import (
    LLM,
    Answer,
    LLMError,
    NotAsked,
    NotInStore,
    Price,
    Refused,
    Rejected,
    Request,
    Unreachable,
)
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.stored_answer import request_key
from tests.llm.asking import QUESTION, TEXT, client_of, retry_policy, server
from tests.llm_server import Fault, LLMServer

AT_ONCE = retry_policy()


def _questions(number: int) -> list[Request]:
    return [replace(QUESTION, user=f"text {i}") for i in range(number)]


def _ask(
    llm: LLM, path: Path, requests: Sequence[Request], *, max_concurrency: int = 8, **settings: Any
) -> tuple[list[Answer | LLMError], Asker]:
    """Ask everything at once; errors come back in place of answers."""
    with AnswerStore(path) as store:
        asker = Asker(
            llm=llm,
            store=store,
            retry=AT_ONCE,
            pace=Pace(max_concurrency=max_concurrency),
            chance=random.Random(1),
            **settings,
        )

        async def ask_all() -> list[Answer | LLMError | BaseException]:
            try:
                return await asyncio.gather(*map(asker.ask, requests), return_exceptions=True)
            finally:
                await asker.close()

        outcomes: list[Answer | LLMError] = []
        for outcome in asyncio.run(ask_all()):
            assert isinstance(outcome, Answer | LLMError), outcome
            outcomes.append(outcome)
        return outcomes, asker


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_a_second_run_asks_nothing(provider: str, tmp_path: Path) -> None:
    with server() as llm_server:
        first, _ = _ask(client_of(provider, llm_server.url), tmp_path / "a.sqlite", _questions(5))
        second, asker = _ask(client_of(provider, llm_server.url), tmp_path / "a.sqlite", _questions(5))
        assert len(llm_server.received) == 5
    assert first == second
    assert (asker.statistics.asked, asker.statistics.from_store, asker.statistics.cost_usd) == (0, 5, None)


def test_offline_answers_come_from_the_store_without_key_or_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server() as llm_server:
        online, _ = _ask(client_of("gemini", llm_server.url), tmp_path / "a.sqlite", _questions(2))
    monkeypatch.delenv("KAZU_DISTILL_TEST_KEY")
    llm = client_of("gemini", "http://127.0.0.1:1", offline=True)
    outcomes, _ = _ask(llm, tmp_path / "a.sqlite", _questions(3), offline=True)
    assert outcomes[:2] == online
    assert isinstance(outcomes[2], NotInStore)
    assert "run again without llm.offline=true" in str(outcomes[2])


def test_the_same_question_at_once_is_asked_once(tmp_path: Path) -> None:
    with server(delay_s=0.05) as llm_server:
        outcomes, asker = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION] * 10)
        assert len(llm_server.received) == 1
    assert {outcome.text for outcome in outcomes if isinstance(outcome, Answer)} == {TEXT}
    assert (asker.statistics.asked, asker.statistics.from_store) == (1, 9)


@pytest.mark.parametrize("provider", ["openai", "gemini"])
def test_the_server_never_sees_more_requests_at_once_than_allowed(provider: str, tmp_path: Path) -> None:
    with server(delay_s=0.05) as llm_server:
        outcomes, _ = _ask(
            client_of(provider, llm_server.url), tmp_path / "a.sqlite", _questions(40), max_concurrency=7
        )
        assert llm_server.most_at_once == 7
    assert all(isinstance(outcome, Answer) for outcome in outcomes)


def test_forty_at_once_reach_the_server_where_that_is_allowed(tmp_path: Path) -> None:
    with server(delay_s=0.5) as llm_server:
        _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", _questions(40), max_concurrency=40)
        assert llm_server.most_at_once == 40


def test_a_request_that_failed_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    with server(faults=[Fault.REJECTED]) as llm_server:
        first, asker = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        second, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
    assert isinstance(first[0], Rejected)
    assert asker.statistics.failed == 1
    assert isinstance(second[0], Answer)


def test_an_answer_that_was_cut_is_remembered_with_its_reason(tmp_path: Path) -> None:
    with server(faults=[Fault.CUT]) as llm_server:
        first, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        second, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        assert len(llm_server.received) == 1
    assert first == second


def test_a_run_counts_what_it_asked_and_spent(tmp_path: Path) -> None:
    price = Price(input_per_million=1e6, output_per_million=2e6, taken="2026-11-01")
    with server(faults=[Fault.SERVER_ERROR, Fault.SERVER_ERROR]) as llm_server:
        llm = client_of("openai", llm_server.url, price=price)
        _, asker = _ask(llm, tmp_path / "a.sqlite", _questions(4), max_concurrency=1)
    report = asker.statistics.as_mapping()
    assert (report["asked"], report["retries"], report["failed_requests"]) == (4, {"server error": 2}, 0)
    assert report["cost_usd"] == report["input_tokens"] + 2 * report["output_tokens"] > 0
    assert 0 < report["latency_s"]["p50"] <= report["latency_s"]["p90"] <= report["latency_s"]["p99"]


def test_a_text_that_is_no_unicode_is_one_failure_and_not_the_end(tmp_path: Path) -> None:
    with server() as llm_server:
        outcomes, _ = _ask(
            client_of("openai", llm_server.url), tmp_path / "a.sqlite", [replace(QUESTION, user="a\ud83d"), QUESTION]
        )
    assert isinstance(outcomes[0], Rejected)
    assert "character 1" in str(outcomes[0])
    assert isinstance(outcomes[1], Answer)


def test_half_a_surrogate_pair_in_an_answer_does_not_lose_it(tmp_path: Path) -> None:
    with LLMServer({QUESTION.user: 'α \ud83d "x" 😀'}) as llm_server:
        first, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        second, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
    assert isinstance(first[0], Answer)
    assert first[0].text == 'α \ufffd "x" 😀'
    assert first == second


def test_a_fatal_error_reaches_every_caller(tmp_path: Path) -> None:
    with server(fault_of=lambda _received: Fault.KEY_REFUSED) as llm_server:
        outcomes, asker = _ask(
            client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION] * 3 + _questions(3)
        )
        assert len(llm_server.received) <= 4, "nothing more is asked once it is known"
    assert {type(outcome) for outcome in outcomes} <= {Refused, NotAsked}
    assert isinstance(asker.fatal, Refused)


def test_a_cancelled_caller_does_not_take_the_answer_from_another(tmp_path: Path) -> None:
    async def cancel_one(asker: Asker) -> Answer:
        first, second = (asyncio.create_task(asker.ask(QUESTION)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        try:
            return await second
        finally:
            await asker.close()

    with server() as llm_server, AnswerStore(tmp_path / "a.sqlite") as store:
        llm = client_of("openai", llm_server.url)
        asker = Asker(llm=llm, store=store, retry=AT_ONCE, pace=Pace(max_concurrency=1))
        assert asyncio.run(cancel_one(asker)).text == TEXT
        assert store.get(request_key(asker.identity, QUESTION)) is not None


def test_no_more_is_spent_than_the_budget_has_and_the_next_run_goes_on(tmp_path: Path) -> None:
    price = Price(input_per_million=1e6, output_per_million=1e6, taken="2026-11-01")  # a dollar a token
    with server() as llm_server:
        first = client_of("openai", llm_server.url, price=price)
        outcomes, asker = _ask(first, tmp_path / "a.sqlite", _questions(20), budget=Budget(300))
        paid = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
        assert 2 < len(paid) < 20
        assert {type(outcome) for outcome in outcomes if not isinstance(outcome, Answer)} == {BudgetSpent}
        assert asker.statistics.cost_usd is not None
        assert asker.statistics.cost_usd <= 300
        second = client_of("openai", llm_server.url)
        outcomes, asker = _ask(second, tmp_path / "a.sqlite", _questions(20))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert asker.statistics.asked == 20 - len(paid)


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"budget_usd needs the price of small-model: set llm\.price"):
        _ask(client_of("openai", "http://127.0.0.1:1"), tmp_path / "a.sqlite", [], budget=Budget(1))


def test_failures_that_pass_are_outlived(tmp_path: Path) -> None:
    faults = [Fault.SERVER_ERROR, Fault.DROPPED, Fault.RATE_LIMITED, Fault.NOT_JSON]
    with server(faults=faults, retry_after="0") as llm_server:
        outcomes, asker = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        assert len(llm_server.received) == 5
    assert isinstance(outcomes[0], Answer)
    assert asker.statistics.retries == {"server error": 2, "dropped connection": 1, "rate limit": 1}


@pytest.mark.parametrize(
    ("fault", "requests"),
    [(Fault.SERVER_ERROR, 3), (Fault.KEY_REFUSED, 1), (Fault.QUOTA_USED_UP, 1), (Fault.REJECTED, 1)],
)
def test_what_does_not_pass_is_asked_as_often_as_that_makes_sense(fault: Fault, requests: int, tmp_path: Path) -> None:
    with server(faults=[fault] * 9) as llm_server:
        outcomes, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
        assert len(llm_server.received) == requests
    assert isinstance(outcomes[0], LLMError)


def test_a_wait_that_is_too_long_ends_the_run_and_says_so(tmp_path: Path) -> None:
    with server(faults=[Fault.RATE_LIMITED], retry_after="3600") as llm_server:
        outcomes, _ = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [QUESTION])
    assert isinstance(outcomes[0], Refused)
    assert "a wait of 3,600 s, longer than llm.retry.longest_wait_s=60" in str(outcomes[0])


def test_a_server_that_nobody_is_at_is_given_up_early(tmp_path: Path) -> None:
    outcomes, asker = _ask(client_of("openai", "http://127.0.0.1:9"), tmp_path / "a.sqlite", _questions(30))
    assert {type(outcome) for outcome in outcomes} == {Unreachable}
    assert asker.statistics.retries.total() <= 30


def test_samples_of_one_question_are_kept_apart(tmp_path: Path) -> None:
    with server() as llm_server:
        samples = [QUESTION, replace(QUESTION, sample=1), replace(QUESTION, sample=2)]
        _, asker = _ask(client_of("openai", llm_server.url), tmp_path / "a.sqlite", [*samples, *samples])
        assert len(llm_server.received) == 3
    assert (asker.statistics.asked, asker.statistics.from_store) == (3, 3)


def test_a_question_can_be_asked_again_and_the_new_answer_stays(tmp_path: Path) -> None:
    async def twice(asker: Asker) -> list[str]:
        answers = [await asker.ask(QUESTION), await asker.ask(QUESTION, again=True), await asker.ask(QUESTION)]
        await asker.close()
        return [answer.text for answer in answers]

    with server(faults=[Fault.CUT]) as llm_server, AnswerStore(tmp_path / "a.sqlite") as store:
        llm = client_of("openai", llm_server.url)
        texts = asyncio.run(twice(Asker(llm=llm, store=store, retry=AT_ONCE, pace=Pace(max_concurrency=1))))
    assert texts == [TEXT[: len(TEXT) // 2], TEXT, TEXT]


def test_what_may_not_be_asked_is_not(tmp_path: Path) -> None:
    async def forbidden(asker: Asker) -> None:
        with pytest.raises(NotAsked):
            await asker.ask(QUESTION, allowed=False)
        await asker.close()

    with server() as llm_server, AnswerStore(tmp_path / "a.sqlite") as store:
        llm = client_of("openai", llm_server.url)
        asyncio.run(forbidden(Asker(llm=llm, store=store, retry=AT_ONCE, pace=Pace(max_concurrency=1))))
        assert not llm_server.received
