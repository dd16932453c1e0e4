"""Where a provider is reached, with which key, and what its failures mean."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import (
    Allowance,
    Dropped,
    LLMError,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
    TimedOut,
    TooLong,
    Unreachable,
)

_QUOTA_USED_UP = {"insufficient_quota", "billing_hard_limit_reached", "daily_quota"}
_KEY_INVALID = {"invalid_api_key", "API_KEY_INVALID"}
_SETTING_UNKNOWN = {"unsupported_parameter", "unsupported_value", "unknown_parameter"}
_CONTEXT_EXCEEDED = {"context_length_exceeded", "exceed_context_size_error"}
# Servers without a code for it say it in words: Gemini, vLLM and llama.cpp, in this order.
_TOO_LONG = re.compile(r"token count .*exceeds|maximum context length|available context size", re.IGNORECASE)

_SCHEMA_REFUSED = (400, 422, 501)  # by servers whose words then name response_format
_PINNED = re.compile(r"server is pinned to", re.IGNORECASE)  # transformers serve, asked for another model (400)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model at a provider's address; ``key_env`` names the environment variable that holds the key."""

    provider: str
    address: str
    model: str
    key_env: str | None
    key: str = field(repr=False)

    def __post_init__(self) -> None:
        if "@" in urlsplit(self.address).netloc:
            raise ConfigError("llm.base_url holds a password: give a key in an environment variable (llm.api_key_env)")
        if not self.address.startswith(("http://", "https://")):
            raise ConfigError(f"llm.base_url={self.address}: an address begins with http:// or https://")

    def failure(
        self, status: int, *, code: str = "", message: str = "", retry_after_s: float | None = None
    ) -> LLMError:
        """The error that an HTTP status stands for.

        Args:
            status: HTTP status, 400 or more.
            code: the provider's own name for the fault, if it gave one.
            message: the provider's own words; shown in part, and never for a key that was not accepted.
            retry_after_s: seconds to wait, if the provider said so.
        """
        who, said = self.provider, self._shown(message)
        if status in (401, 403) or code in _KEY_INVALID:
            key = f"the key in {self.key_env}" if self.key_env else "a request without a key (llm.api_key_env)"
            return Refused(f"{who}: {key} was not accepted ({status}) by {self.address}")
        if code in _QUOTA_USED_UP:
            whose = f"of the key in {self.key_env}" if self.key_env else f"at {self.address}"
            return Refused(f"{who}: the quota {whose} is used up ({status}){said}")
        if status in _SCHEMA_REFUSED and "response_format" in message:
            return Refused(
                f"{who}: {self.address} cannot hold answers to this JSON schema ({status}): set llm.structured=false, "
                f"so that the prompt alone asks for the form{said}"
            )
        if status == 404 or (status == 400 and _PINNED.search(message)):
            return Refused(
                f"{who}: model {self.model!r} is unknown to {self.address} ({status}): set llm.model or "
                f"llm.base_url{said}"
            )
        if code in _SETTING_UNKNOWN:
            return Refused(f"{who}: {self.model!r} does not take a setting ({status}); null leaves it out{said}")
        if status == 429:
            return RateLimited(f"{who}: too many requests (429){said}", retry_after_s=retry_after_s)
        if status == 408:
            return TimedOut(f"{who}: the server gave up waiting (408){said}", retry_after_s=retry_after_s)
        if status >= 500 or status == 409:
            return ServerFailed(f"{who}: the server failed ({status}){said}", retry_after_s=retry_after_s)
        if code in _CONTEXT_EXCEEDED or _TOO_LONG.search(message):
            return TooLong(f"{who}: the request is longer than the context of {self.model!r} ({status}){said}")
        return Rejected(f"{who}: the request was rejected ({status}){said}")

    def unreachable(self) -> Unreachable:
        """The error for a connection that could not be made."""
        return Unreachable(f"cannot reach {self.address}: is the server running? set llm.base_url")

    def timed_out(self) -> TimedOut:
        """The error for a connection that was made and stayed silent."""
        return TimedOut(f"{self.provider}: no answer in time (llm.timeout_s) ({self.address})")

    def dropped(self) -> Dropped:
        """The error for a connection that ended before the answer."""
        return Dropped(f"{self.provider}: the connection was dropped ({self.address})")

    def no_answer(self, of: str) -> ServerFailed:
        """The error for a response that is something else: ``of`` says what was expected."""
        return ServerFailed(f"{self.provider}: what came back is no {of} ({self.address})")

    def _shown(self, message: str) -> str:
        """The start of a provider's words on one line, without the key, which some quote."""
        said = " ".join(message.replace(self.key, "***").split() if self.key else message.split())
        return f": {said[:300]}" if said else ""


def read_key(key_env: str | None, *, offline: bool) -> str:
    """The API key out of an environment variable.

    A placeholder where none is needed: offline, or at a server that asks for none (``key_env`` None).

    Raises:
        Refused: the variable is not set, or what it holds cannot be a key.
    """
    if offline or key_env is None:
        return "none"
    key = os.environ.get(key_env, "").strip()
    if not key:
        raise Refused(f"no key: set the environment variable {key_env}")
    # The HTTP client would quote such a key in its error.
    if not re.fullmatch(r"[!-~]+", key):
        raise Refused(f"the environment variable {key_env} holds spaces or characters that no key has")
    return key


def retry_after_s(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds to wait, from ``Retry-After`` as seconds or HTTP date, or from OpenAI's ``retry-after-ms``.

    ``now`` is in seconds since the epoch. None where no header is there or where it cannot be read.
    """
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now))
    except ValueError:
        return None


def allowance(headers: Mapping[str, str]) -> Allowance | None:
    """What OpenAI, Azure and the servers that follow them say of their limits; None where there is nothing.

    The headers do not say what time a limit is for; it is taken for a minute's. Some providers count requests by the
    day: such a limit is higher than any minute's, so that taking it for one does no harm.
    """
    limits = [
        float(limit) if re.fullmatch(r"[1-9]\d*", limit := headers.get(f"x-ratelimit-limit-{what}", "")) else None
        for what in ("requests", "tokens")
    ]
    return Allowance(*limits) if any(limits) else None
