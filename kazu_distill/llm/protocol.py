"""What every provider takes, gives and raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from kazu_distill.errors import ConfigError, KazuDistillError, require_number


class FinishReason(StrEnum):
    """Why a provider stopped; everything but STOP means that the answer is not whole."""

    STOP = "stop"
    LENGTH = "length"
    SAFETY = "safety"
    RECITATION = "recitation"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before the question."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A question: instructions, the user's message, and the JSON schema that the answer keeps to; empty for plain text.

    ``earlier`` is the conversation before that message. ``sample`` tells several answers to one question apart.
    """

    system: str
    user: str
    answer_schema: Mapping[str, Any]
    earlier: tuple[Turn, ...] = ()
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model picks its words, and how many it may write; None leaves the choice to the model."""

    temperature: float | None
    top_p: float | None
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a provider counted; what a model thinks before it answers is output."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much a provider says it takes in a minute; None where it does not say."""

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: text, why it ended, what it took, and the seconds from asking to having it.

    ``allowance`` is what the provider said of its limits; it is no part of the answer and is not stored.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    latency_s: float
    allowance: Allowance | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens, the date on which the provider asked them, and the model they are for."""

    input_per_million: float
    output_per_million: float
    taken: str
    model: str | None = None

    def cost(self, usage: Usage) -> float:
        """What that many tokens cost, in US dollars."""
        return (usage.input_tokens * self.input_per_million + usage.output_tokens * self.output_per_million) / 1_000_000


def price_of(
    *, input_per_million: float | None, output_per_million: float | None, taken: str | None, model: str | None
) -> Price | None:
    """A price out of a configuration in which it may be left open.

    Raises:
        ConfigError: half of it is.
    """
    if input_per_million is None and output_per_million is None:
        return None
    if input_per_million is None or output_per_million is None:
        raise ConfigError("llm.price: set both input_per_million and output_per_million, or neither")
    for name, value in (("input_per_million", input_per_million), ("output_per_million", output_per_million)):
        require_number(f"llm.price.{name}", value, above=-1e-9)
    return Price(input_per_million, output_per_million, taken or "a date that was not given", model)


class LLM(Protocol):
    """A model behind a provider's SDK."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What of the model determines an answer: provider, model name and sampling parameters, as JSON values."""

    @property
    def price(self) -> Price | None:
        """What it costs, if that is known."""

    async def ask(self, request: Request) -> Answer:
        """Ask once, without trying again.

        Raises:
            LLMError: one of the errors below.
        """

    async def close(self) -> None:
        """Close connections."""


@runtime_checkable
class HasRemarks(Protocol):
    """An LLM of which there is something to say before it is asked."""

    def remarks(self) -> Sequence[str]:
        """What a user should know, a line each."""


class LLMError(KazuDistillError):
    """A request that brought no answer.

    ``kind`` names it in reports. ``retryable``: asking again can help. ``fatal``: no request can succeed.
    ``retry_after_s``: the seconds that the provider asked us to wait, if it said so.
    """

    kind = "failed"
    retryable = False
    fatal = False

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(LLMError):
    """Too many requests or tokens (429)."""

    kind = "rate limit"
    retryable = True


class ServerFailed(LLMError):
    """The provider failed (5xx), or sent something that is no answer."""

    kind = "server error"
    retryable = True


class TimedOut(LLMError):
    """Nothing came for longer than we wait."""

    kind = "timeout"
    retryable = True


class Dropped(LLMError):
    """The connection ended without an answer."""

    kind = "dropped connection"
    retryable = True


class Unreachable(LLMError):
    """No connection could be made at all; after the last attempt the run ends."""

    kind = "unreachable"
    retryable = True
    fatal = True


class Refused(LLMError):
    """Key, permission, quota, model name or a setting are wrong: every request would fail, so the run ends."""

    kind = "refused"
    fatal = True


class Rejected(LLMError):
    """The provider rejects this one request (400); asking the same again is useless."""

    kind = "rejected"


class TooLong(Rejected):
    """The request is longer than the model's context."""

    kind = "too long"


class NotInStore(LLMError):
    """The run is offline, and the store has no answer to this request."""

    kind = "not in the store"


class NotAsked(LLMError):
    """The store has no answer to this request, and the run does not make it; another run may."""

    kind = "not asked"
