"""What every provider takes, gives and raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from kazu_distill.errors import KazuDistillError


class FinishReason(StrEnum):
    """Why a provider stopped; everything but STOP means that the answer is not whole."""

    STOP = "stop"
    LENGTH = "length"
    SAFETY = "safety"
    RECITATION = "recitation"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Request:
    """A question: instructions, the text they are about, and the JSON schema that the answer keeps to."""

    system: str
    user: str
    answer_schema: Mapping[str, Any]


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
class Answer:
    """What came back: text, why it ended, what it took, and the seconds from asking to having it."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    latency_s: float


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


class LLMError(KazuDistillError):
    """A request that brought no answer.

    ``retryable``: asking again can help. ``fatal``: no request can succeed. ``retry_after_s``: the seconds that the
    provider asked us to wait, if it said so.
    """

    retryable = False
    fatal = False

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(LLMError):
    """Too many requests or tokens (429)."""

    retryable = True


class ServerFailed(LLMError):
    """The provider failed (5xx), timed out, or dropped the connection."""

    retryable = True


class Unreachable(LLMError):
    """No connection could be made at all; after the last attempt the run ends."""

    retryable = True
    fatal = True


class Refused(LLMError):
    """Key, permission, quota, model name or a setting are wrong: every request would fail, so the run ends."""

    fatal = True


class Rejected(LLMError):
    """The provider rejects this one request (400); asking the same again is useless."""


class TooLong(Rejected):
    """The request is longer than the model's context."""


class NotInStore(LLMError):
    """The run is offline, and the store has no answer to this request."""
