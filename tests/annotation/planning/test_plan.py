import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.planning.plan import Plan, make_plan
from kazu_distill.annotation.planning.table import print_plan
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.documents import Document, Section
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.pace import Pace
from kazu_distill.llm.protocol import Allowance, Answer, FinishReason, Price, Request, Usage
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.schema import Schema
from tests.llm.asking import retry_policy

SENTENCE = "Aspirin lowered the risk of stroke. "
PRICE = Price(0.075, 2.5, "2026-10-13", "m")
PROMPT = Prompt(schema=Schema(name="test", classes={"drug": {}}, ignored=[]), instructions="Find:\n$classes")
PART = PROMPT.parts[0]
INSTRUCTIONS = estimate_tokens(PART.instructions) + estimate_tokens(json.dumps(PROMPT.style.answer_schema(PART.schema)))


class NeverAsked:
    """A model that a plan has no business with."""

    def __init__(self, *, price: Price | None = PRICE, max_output_tokens: int | None = None) -> None:
        self.price = price
        self.identity: Mapping[str, Any] = {"model": "m", "max_output_tokens": max_output_tokens}

    async def ask(self, request: Request) -> Answer:
        raise AssertionError(f"asked about {request.user}")

    async def close(self) -> None:
        pass


def documents(number: int, sentences: Callable[[int], int] = lambda number: 1 + number % 7) -> Iterator[Document]:
    for i in range(number):
        yield Document(str(i), (Section("title", f"Title {i}"), Section("text", f"{i} " + SENTENCE * sentences(i))))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as opened:
        yield opened


def asker(store: AnswerStore, *, samples: int = 1, **settings: Any) -> Asker:
    llm = NeverAsked(**settings)
    return Asker(llm=llm, store=store, retry=retry_policy(), pace=Pace(max_concurrency=1), samples=samples)


def plan_of(number: int, *askers: Asker, chunker: Chunker | None = None, seed: int = 1, **limits: Allowance) -> Plan:
    names = {f"llm{i}": one for i, one in enumerate(askers)}
    chunks = chunker or Chunker(tokens=1000)
    return make_plan(documents(number), askers=names, prompt=PROMPT, chunker=chunks, seed=seed, limits=limits)


def request_about(text: str) -> Request:
    return PROMPT.questions(text, Document("", ()))[0].request


def keep_answers(store: AnswerStore, number: int, usage: Callable[[Request], Usage], *, sample: int = 0) -> None:
    for document in documents(number):
        for section in document.sections:
            request = replace(request_about(section.text), sample=sample)
            answer = Answer("{}", FinishReason.STOP, usage(request), 1.0)
            store.put(NeverAsked().identity, request, answer)


def sent_of(request: Request) -> int:
    """What a small request sends, as estimated: instructions and schema, the text, and two messages' marks."""
    return INSTRUCTIONS + estimate_tokens(request.user) + 2 * 4


def sent_of_all(number: int) -> int:
    return sum(sent_of(request_about(section.text)) for document in documents(number) for section in document.sections)


def test_a_plan_counts_the_corpus_and_every_request_carries_the_instructions(store: AnswerStore) -> None:
    plan = plan_of(50, asker(store))
    assert (plan.documents, plan.sections, plan.chunks) == (50, 100, 100)
    [voter] = plan.voters
    assert (voter.requests, voter.in_store, voter.to_ask) == (100, 0, 100)
    tokens = voter.forecast.input_tokens
    assert tokens.expected == pytest.approx(sent_of_all(50))
    assert tokens.low < tokens.expected < tokens.high


def test_what_is_in_the_store_costs_nothing(store: AnswerStore) -> None:
    keep_answers(store, 30, lambda request: Usage(sent_of(request), 20))
    part, whole = plan_of(50, asker(store)), plan_of(30, asker(store))
    assert (part.voters[0].in_store, part.voters[0].to_ask) == (60, 40)
    assert whole.voters[0].to_ask == 0
    assert whole.cost_usd is not None
    assert whole.cost_usd.high == 0


def test_answers_in_the_store_correct_the_estimates(store: AnswerStore) -> None:
    keep_answers(store, 30, lambda request: Usage(round(1.3 * sent_of(request)), 6 + 3 * estimate_tokens(request.user)))
    forecast = plan_of(50, asker(store)).voters[0].forecast
    assert forecast.answers == 60
    new = sent_of_all(50) - sent_of_all(30)
    assert forecast.input_tokens.expected == pytest.approx(1.3 * new, rel=0.01)
    written = 3 * (new - 40 * (INSTRUCTIONS + 8)) + 40 * 6
    assert forecast.output_tokens.expected == pytest.approx(written, rel=0.01)
    assert forecast.output_tokens.high == pytest.approx(forecast.output_tokens.low, rel=0.01)


def test_a_handful_of_answers_or_such_as_nobody_counted_correct_nothing(store: AnswerStore) -> None:
    keep_answers(store, 30, lambda _: Usage())
    keep_answers(store, 5, lambda _: Usage(1, 1))
    assert plan_of(50, asker(store)).voters[0].forecast.answers == 0


def test_the_range_of_a_sample_holds_the_whole_and_the_seed_repeats_it(store: AnswerStore) -> None:
    keep_answers(store, 20, lambda request: Usage(sent_of(request), estimate_tokens(request.user)))
    plans = [plan_of(1500, asker(store), seed=seed) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    tokens = plans[0].voters[0].forecast.input_tokens
    assert tokens.low < sent_of_all(1500) - sent_of_all(20) < tokens.high
    assert tokens.high < 1.1 * tokens.low


def test_each_sample_of_a_voter_is_a_request(store: AnswerStore) -> None:
    keep_answers(store, 2, lambda _: Usage(1, 1), sample=1)
    [voter] = plan_of(5, asker(store, samples=3)).voters
    assert (voter.requests, voter.in_store) == (30, 4)


def test_context_is_paid_for(store: AnswerStore) -> None:
    def sent(context_tokens: int) -> float:
        chunker = Chunker(tokens=40, context_tokens=context_tokens)
        return plan_of(20, asker(store), chunker=chunker).voters[0].forecast.input_tokens.expected

    assert sent(20) > 1.1 * sent(0)


def test_an_answer_is_not_longer_than_the_model_may_write(store: AnswerStore) -> None:
    plan = plan_of(50, asker(store, max_output_tokens=10))
    assert plan.voters[0].forecast.output_tokens.high <= 100 * 10


def test_the_cost_is_that_of_the_tokens_and_of_all_voters(store: AnswerStore) -> None:
    plan = plan_of(50, asker(store), asker(store, price=Price(1, 0, "2026-01-01")))
    first, second = plan.voters
    read, written = first.forecast.input_tokens.expected, first.forecast.output_tokens.expected
    assert first.cost_usd is not None
    assert first.cost_usd.expected == pytest.approx((0.075 * read + 2.5 * written) / 1e6, rel=1e-3)
    assert first.cost_usd.low < first.cost_usd.expected < first.cost_usd.high
    assert plan.cost_usd is not None
    assert second.cost_usd is not None
    assert plan.cost_usd.expected == pytest.approx(first.cost_usd.expected + second.cost_usd.expected)


def test_a_cost_that_is_not_known_is_none(store: AnswerStore) -> None:
    plan = plan_of(5, asker(store), asker(store, price=None))
    assert plan.voters[1].cost_usd is None
    assert plan.cost_usd is None


def test_the_time_is_at_best_what_the_tighter_limit_allows(store: AnswerStore) -> None:
    by_requests = plan_of(50, asker(store), llm0=Allowance(10, 1e9)).voters[0]
    by_tokens = plan_of(50, asker(store), llm0=Allowance(None, 100)).voters[0]
    assert by_requests.minutes_at_best == 10
    tokens = by_tokens.forecast.input_tokens.expected + by_tokens.forecast.output_tokens.expected
    assert by_tokens.minutes_at_best == pytest.approx(tokens / 100)
    assert plan_of(50, asker(store)).voters[0].minutes_at_best is None


def test_an_empty_corpus_costs_nothing(store: AnswerStore) -> None:
    plan = plan_of(0, asker(store))
    assert (plan.documents, plan.cost_usd and plan.cost_usd.high) == (0, 0)


def test_the_file_has_the_figures_and_the_price_with_its_date(store: AnswerStore) -> None:
    mapping = json.loads(json.dumps(plan_of(50, asker(store), asker(store, price=None)).as_mapping()))
    voter = mapping["voters"]["llm0"]
    assert (mapping["documents"], voter["to_ask"], voter["price"]["taken"]) == (50, 100, "2026-10-13")
    assert list(voter["cost_usd"]) == ["low", "expected", "high"]
    assert isinstance(voter["input_tokens"]["expected"], int)
    assert mapping["voters"]["llm1"]["cost_usd"] is None


def test_people_read_what_is_counted_what_is_estimated_and_when_the_price_was_taken(store: AnswerStore) -> None:
    text = StringIO()
    plan = plan_of(50, asker(store), asker(store, price=None), llm0=Allowance(1, None))
    print_plan(plan, Console(file=text, width=100))
    printed = text.getvalue()
    assert "50 documents, 100 sections, 100 chunks; nothing was asked" in printed
    assert "llm0: tokens are estimated before any answer of it" in printed
    assert "llm0: $0.075 in, $2.50 out for a million tokens, as of 2026-10-13" in printed
    assert "llm0: at best 100 minutes" in printed
    assert "llm1: its price is not known" in printed
