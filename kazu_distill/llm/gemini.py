"""Gemini through google-genai, Google's current SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from kazu_distill.llm.endpoint import Endpoint, read_key, retry_after_s
from kazu_distill.llm.gemini_messages import (
    ADDRESS,
    PROVIDER,
    SAFETY_OFF,
    conversation,
    generation_settings,
    identity,
    read_answer,
    read_fault,
)
from kazu_distill.llm.protocol import Answer, Price, Request, Sampling


class GeminiClient:
    """A Gemini model behind ``generateContent``.

    Args:
        model: its name at Google.
        api_key_env: the environment variable that holds the key; None for a server that asks for no key.
        base_url: the server's address, without a version; None is Google.
        temperature: None leaves it out of the request, as the newer models ask; ``top_p`` likewise.
        max_output_tokens: the longest answer, with what the model thinks before it.
        timeout_s: seconds without a byte from the server.
        price: what the model costs.
        offline: needs no key, and is never asked.

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
        temperature: float | None,
        top_p: float | None,
        max_output_tokens: int,
        timeout_s: float,
        price: Price | None = None,
        offline: bool = False,
    ) -> None:
        address = (base_url or ADDRESS).rstrip("/")
        self._endpoint = Endpoint(PROVIDER, address, model, api_key_env, read_key(api_key_env, offline=offline))
        # A client of our own: the SDK's would hold back above 100 connections, and would be aiohttp, with an
        # unasked retry, wherever that happens to be installed.
        self._http = httpx2.AsyncClient(timeout=timeout_s, limits=httpx2.Limits(max_connections=None))
        # The SDK's client must be kept: it closes its connections when it is collected.
        self._sdk = genai.Client(
            vertexai=False,
            api_key=self._endpoint.key,
            http_options=types.HttpOptions(
                base_url=address,
                api_version="v1beta",
                timeout=round(timeout_s * 1000),
                httpx_async_client=self._http,
            ),
        )
        self._sampling = Sampling(temperature, top_p, max_output_tokens)
        self.price = price
        self.identity: Mapping[str, Any] = identity(model, self._sampling)

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            LLMError: no answer came back.
        """
        config = to_gemini(request, self._sampling)
        contents: Any = conversation(request)
        begun = time.perf_counter()
        with _normalised_errors(self._endpoint):
            response = await self._sdk.aio.models.generate_content(
                model=self._endpoint.model, contents=contents, config=config
            )
        return from_gemini(response, time.perf_counter() - begun)

    async def close(self) -> None:
        """Close connections."""
        self._sdk.close()
        await self._http.aclose()


def to_gemini(request: Request, sampling: Sampling) -> types.GenerateContentConfig:
    """All of a question but the text that it is about."""
    return types.GenerateContentConfig.model_validate(
        {
            "system_instruction": request.system,
            "safety_settings": SAFETY_OFF,
            **generation_settings(request, sampling),
        }
    )


def from_gemini(response: types.GenerateContentResponse, latency_s: float) -> Answer:
    """The answer in a response, whole or stopped."""
    return read_answer(response.model_dump(mode="json", exclude_none=True), latency_s)


@contextmanager
def _normalised_errors(endpoint: Endpoint) -> Iterator[None]:
    """Turn the SDK's errors into ours; ``from None`` because theirs may quote the key."""
    try:
        yield
    except errors.APIError as error:
        fault = read_fault(error.details)
        headers = getattr(error.response, "headers", {})
        raise endpoint.failure(
            error.code,
            code=fault.code,
            message=fault.message,
            retry_after_s=fault.retry_after_s or retry_after_s(headers),
        ) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError):
        raise endpoint.unreachable() from None
    except httpx2.TimeoutException:
        raise endpoint.timed_out() from None
    except httpx2.HTTPError:
        raise endpoint.dropped() from None
    except ValueError:  # the SDK could not read the body
        raise endpoint.no_answer("answer of Gemini") from None
