"""OpenAI's chat completions, and every server that speaks them (vLLM, llama.cpp, Ollama, LM Studio)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion

from kazu_distill.llm.endpoint import Endpoint, read_key, retry_after_s
from kazu_distill.llm.protocol import Answer, FinishReason, Price, Request, Sampling, Usage

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
        # Retries are ours (retry.py); the SDK's own would multiply them.
        self._sdk = sdk(api_key=self._endpoint.key, base_url=address, timeout=timeout_s, max_retries=0)
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
            completion = await self._sdk.chat.completions.create(
                **to_openai(request, self._settings, structured=self._structured)
            )
        # The SDK passes on whatever a server sends with status 200, even a proxy's HTML page.
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise self._endpoint.broken("what came back is no chat completion")
        return from_openai(completion, time.perf_counter() - begun)

    async def close(self) -> None:
        """Close connections."""
        await self._sdk.close()


def to_openai(request: Request, settings: Mapping[str, Any], *, structured: bool) -> dict[str, Any]:
    """The arguments of ``chat.completions.create``."""
    arguments = {
        **settings,
        "messages": [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
    }
    if structured:
        schema = {"name": "answer", "strict": True, "schema": dict(request.answer_schema)}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
    return arguments


def from_openai(completion: ChatCompletion, latency_s: float) -> Answer:
    """The answer in a completion that has a choice; a refusal counts as stopped for safety."""
    choice = completion.choices[0]
    finish_reason = _FINISH_REASONS.get(choice.finish_reason, FinishReason.OTHER)
    usage = completion.usage
    return Answer(
        text=choice.message.content or "",
        finish_reason=FinishReason.SAFETY if choice.message.refusal else finish_reason,
        usage=Usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage(),
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
            message=error.message,
            retry_after_s=retry_after_s(error.response.headers),
        ) from None
    except openai.APITimeoutError as error:
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            raise endpoint.unreachable() from None
        raise endpoint.broken("no answer in time (llm.timeout_s)") from None
    except openai.APIConnectionError as error:
        if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ProxyError):
            raise endpoint.unreachable() from None
        raise endpoint.broken("the connection was dropped") from None
    except (openai.APIError, json.JSONDecodeError):
        raise endpoint.broken("what came back is no JSON") from None
