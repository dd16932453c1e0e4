"""What labelling a corpus would take and cost, before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.planning.forecast import Answered, Forecast, Question, Range, Reservoir, forecast
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.documents import Document
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.protocol import Allowance, Price, Request, Usage
from kazu_distill.llm.tokens import estimate_tokens

_SAMPLE = 1000  # requests of a voter whose tokens are estimated; the sample's error is then 2 or 3 %
_PER_MESSAGE = 4  # tokens that mark a message's role and end (OpenAI Cookbook, "How to count tokens": 3 or 4)


@dataclass(frozen=True, slots=True)
class VoterPlan:
    """What one LLM would be asked.

    ``requests`` counts every sample of every chunk; what is ``in_store`` of them costs nothing, the rest is ``to_ask``.
    ``minutes_at_best`` is what the limits allow; None without limits.
    """

    name: str
    requests: int
    in_store: int
    forecast: Forecast
    price: Price | None
    minutes_at_best: float | None

    @property
    def to_ask(self) -> int:
        """Requests that are not in the store."""
        return self.requests - self.in_store

    @property
    def cost_usd(self) -> Range | None:
        """US dollars; None where the price is not known and something is to be asked."""
        if not self.to_ask:
            return Range(0, 0, 0)
        if self.price is None:
            return None
        read, written = self.forecast.input_tokens, self.forecast.output_tokens
        return Range(
            self.price.cost(Usage(round(read.low), round(written.low))),
            self.price.cost(Usage(round(read.expected), round(written.expected))),
            self.price.cost(Usage(round(read.high), round(written.high))),
        )

    def as_mapping(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "requests": self.requests,
            "in_store": self.in_store,
            "to_ask": self.to_ask,
            "input_tokens": _rounded(self.forecast.input_tokens),
            "output_tokens": _rounded(self.forecast.output_tokens),
            "estimated_from_answers": self.forecast.answers,
            "price": None if self.price is None else asdict(self.price),
            "cost_usd": None if self.cost_usd is None else asdict(self.cost_usd),
            "minutes_at_best": self.minutes_at_best,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a corpus is made of, counted, and what each LLM would be asked, estimated."""

    documents: int
    sections: int
    chunks: int
    voters: tuple[VoterPlan, ...]

    @property
    def cost_usd(self) -> Range | None:
        """US dollars of all LLMs together; None where the price of one is not known."""
        total = Range(0, 0, 0)
        for voter in self.voters:
            if voter.cost_usd is None:
                return None
            total += voter.cost_usd
        return total

    def as_mapping(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "documents": self.documents,
            "sections": self.sections,
            "chunks": self.chunks,
            "voters": {voter.name: voter.as_mapping() for voter in self.voters},
            "cost_usd": None if self.cost_usd is None else asdict(self.cost_usd),
        }


def make_plan(
    documents: Iterable[Document],
    *,
    askers: Mapping[str, Asker],
    prompt: Prompt,
    chunker: Chunker,
    seed: int,
    limits: Mapping[str, Allowance] | None = None,
) -> Plan:
    """Read a corpus once, count it, and forecast what it takes from a random sample; nothing is asked.

    What is asked a second time, in halves or because an answer was invalid, is not in the figures; nor is it that a
    question which comes twice is asked once.

    Args:
        documents: the corpus; of it no more than the sample is kept.
        askers: the LLMs, by name.
        prompt: the question.
        chunker: cuts long texts.
        seed: of the sample and of the bootstrap.
        limits: requests and tokens a minute of the LLMs that have such limits, by name.
    """
    surveys = {name: _Survey(asker, output_ratio=prompt.output_ratio, seed=seed) for name, asker in askers.items()}
    counts = {"documents": 0, "sections": 0, "chunks": 0}
    for document in documents:
        counts["documents"] += 1
        for section in document.sections:
            counts["sections"] += 1
            for chunk in chunker.chunks(section.text):
                counts["chunks"] += 1
                context = chunker.context(section.text, chunk)
                for question in prompt.questions(section.text[chunk.start : chunk.end], document, context=context):
                    for survey in surveys.values():
                        survey.add(question.request)
    allowed = limits or {}
    voters = (survey.plan(name, allowed.get(name, Allowance())) for name, survey in surveys.items())
    return Plan(**counts, voters=tuple(voters))


class _Survey:
    """The requests to one LLM: which are in the store, and a sample of those and of the others."""

    def __init__(self, asker: Asker, *, output_ratio: tuple[float, float, float], seed: int) -> None:
        self._asker = asker
        self._output_ratio = output_ratio
        self._seed = seed
        self._to_ask = Reservoir[Question](_SAMPLE, seed=seed)
        self._answered = Reservoir[Answered](_SAMPLE, seed=seed)
        self._carried: dict[str, int] = {}  # by instructions

    def add(self, request: Request) -> None:
        messages = [request.user, *(turn.text for turn in request.earlier)]
        said = sum(estimate_tokens(message) + _PER_MESSAGE for message in messages)
        if request.system not in self._carried:
            schema = estimate_tokens(json.dumps(request.answer_schema)) if request.answer_schema else 0
            self._carried[request.system] = estimate_tokens(request.system) + schema
        # Every request carries the instructions and the schema again, and providers count them every time.
        question = Question(self._carried[request.system] + _PER_MESSAGE + said, estimate_tokens(request.user))
        for sample in range(self._asker.samples):
            answer = self._asker.stored(replace(request, sample=sample))
            if answer is None:
                self._to_ask.add(question)
            else:
                self._answered.add(Answered(question, answer.usage))

    def plan(self, name: str, limits: Allowance) -> VoterPlan:
        in_store, to_ask = self._answered.seen, self._to_ask.seen
        most_output = self._asker.identity.get("max_output_tokens")
        tokens = forecast(
            self._to_ask,
            self._answered.sample,
            output_ratio=self._output_ratio,
            most_output=most_output,
            seed=self._seed,
        )
        minutes = _minutes(to_ask, tokens, limits)
        return VoterPlan(name, in_store + to_ask, in_store, tokens, self._asker.price, minutes)


def _minutes(requests: int, tokens: Forecast, limits: Allowance) -> float | None:
    needs = (
        (requests, limits.requests_per_minute),
        (tokens.input_tokens.expected + tokens.output_tokens.expected, limits.tokens_per_minute),
    )
    return max((need / limit for need, limit in needs if limit is not None), default=None)


def _rounded(tokens: Range) -> dict[str, int]:
    return {name: round(value) for name, value in asdict(tokens).items()}
