"""OpenAI's chat completions, and every server that speaks them (vLLM, llama.cpp, Ollama, LM Studio)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import httpx2
import openai

from kazu_distill.llm.endpoint import Endpoint, allowance, read_key, retry_after_s
from kazu_distill.llm.protocol import Answer, FinishReason, LLMError, Price, Request, Sampling, Usage

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.SAFETY,
}


class OpenAIClient:
    """A model behind chat completions.

    Args:
        model: its name at the provider.
        api_key_env: the environment variable that holds the key; None for a server that asks for no key.
        base_url: the server's address up to ``/v1``; None is OpenAI.
        provider: the name under which answers are stored and errors speak.
        temperature: None leaves it out of the request, as some models insist; ``top_p`` likewise.
        max_output_tokens: the longest answer, with what the model thinks before it.
        token_limit_key: how the server calls that limit; OpenAI renamed it, other servers did not.
        timeout_s: seconds without a byte from the server.
        structured: have the server hold the answer to the request's JSON schema.
        reasoning_effort: how much a reasoning model thinks; None leaves it out of the request.
        price: what the model costs.
        offline: needs no key, and is never asked.
        sdk: makes the SDK's client.

    Raises:
        Refused: the key's environment variable is not set.
        ConfigError: the address is none.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key_env: str | None,
        base_url: str | None = None,
        provider: str = "openai",
        temperature: float | None,
        top_p: float | None,
        max_output_tokens: int,
        token_limit_key: str = "max_completion_tokens",
        timeout_s: float,
        structured: bool = True,
        reasoning_effort: str | None = None,
        price: Price | None = None,
        offline: bool = False,
        sdk: Callable[..., openai.AsyncOpenAI] = openai.AsyncOpenAI,
    ) -> None:
        address = (base_url or "https://api.openai.com/v1").rstrip("/")
        self._endpoint = Endpoint(provider, address, model, api_key_env, read_key(api_key_env, offline=offline))
        # How many connections there are is ours to say (pace.py; 0 is no limit), and so are retries (retry.py), which
        # the SDK's own would multiply.
        http = openai.DefaultAioHttpClient(timeout=timeout_s, limits=httpx2.Limits(max_connections=0))
        self._sdk = sdk(
            api_key=self._endpoint.key, base_url=address, timeout=timeout_s, max_retries=0, http_client=http
        )
        sampling = Sampling(temperature, top_p, max_output_tokens)
        self._settings = _settings(model, sampling, token_limit_key, reasoning_effort)
        self._structured = structured
        self.price = price
        self.identity: Mapping[str, Any] = {
            "provider": provider,
            "model": model,
            "temperature": None if temperature is None else float(temperature),
            "top_p": None if top_p is None else float(top_p),
            "max_output_tokens": max_output_tokens,
            "structured": structured,
            "reasoning_effort": reasoning_effort,
        }

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            LLMError: no answer came back.
        """
        begun = time.perf_counter()
        with _normalised_errors(self._endpoint):
            # The SDK's `chat.completions.create` spends a third of its time on making and checking objects of which
            # four fields are read; this is its documented way to have the response as it came.
            response = await self._sdk.post(
                "/chat/completions",
                cast_to=httpx2.Response,
                body=to_openai(request, self._settings, structured=self._structured),
            )
        try:
            answer = from_openai(json.loads(response.content), time.perf_counter() - begun)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            # A server may send anything with status 200, such as a proxy's HTML page.
            raise self._endpoint.no_answer("chat completion") from None
        return replace(
            answer, allowance=allowance({name.lower(): value for name, value in response.headers.multi_items()})
        )

    async def close(self) -> None:
        """Close connections."""
        await self._sdk.close()


def to_openai(request: Request, settings: Mapping[str, Any], *, structured: bool) -> dict[str, Any]:
    """The body of a request for a chat completion."""
    arguments = {
        **settings,
        "messages": [
            {"role": "system", "content": request.system},
            *({"role": turn.role, "content": turn.text} for turn in request.earlier),
            {"role": "user", "content": request.user},
        ],
    }
    if structured and request.answer_schema:
        schema = {"name": "answer", "strict": True, "schema": dict(request.answer_schema)}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
    return arguments


def from_openai(completion: Mapping[str, Any], latency_s: float) -> Answer:
    """The answer in a completion; a refusal counts as stopped for safety.

    Raises:
        KeyError, IndexError, TypeError, AttributeError: it is no chat completion.
    """
    choice = completion["choices"][0]
    message, usage = choice["message"], completion.get("usage") or {}
    finish_reason = _FINISH_REASONS.get(choice.get("finish_reason"), FinishReason.OTHER)
    text = message.get("content") or ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    return Answer(
        text=text,
        finish_reason=FinishReason.SAFETY if message.get("refusal") else finish_reason,
        usage=Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)),
        latency_s=latency_s,
    )


def _settings(model: str, sampling: Sampling, token_limit_key: str, reasoning_effort: str | None) -> dict[str, Any]:
    settings = {
        "model": model,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        token_limit_key: sampling.max_output_tokens,
        "reasoning_effort": reasoning_effort,
    }
    return {name: value for name, value in settings.items() if value is not None}


@contextmanager
def _normalised_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn the SDK's errors into ours; ``from None`` because theirs may quote the key."""
    try:
        yield
    except openai.APIStatusError as error:
        raise endpoint.failure(
            error.status_code,
            code=error.code or "",
            message=words_of(error),
            retry_after_s=retry_after_s(error.response.headers),
        ) from None
    except openai.APIConnectionError as error:
        raise _connection_failure(error, endpoint) from None
    except (openai.APIError, json.JSONDecodeError):
        raise endpoint.no_answer("JSON") from None


def words_of(error: openai.APIStatusError) -> str:
    """What the server said; the SDK keeps it in its message only where it stands as OpenAI writes it."""
    body = error.body
    if isinstance(body, Mapping):  # as FastAPI writes it
        said = body.get("detail")
    else:
        said = None if isinstance(body, str) and body.startswith("<") else body  # no proxy's page
    return f"{error.message} - {said}" if said else error.message


def _connection_failure(error: openai.APIConnectionError, endpoint: Endpoint) -> LLMError:
    """What became of a connection, by what aiohttp said of it: the layers above take a dropped one for a timeout."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return endpoint.unreachable()
        if isinstance(cause, aiohttp.ServerTimeoutError):
            return endpoint.timed_out()
        cause = cause.__cause__
    return endpoint.dropped()
