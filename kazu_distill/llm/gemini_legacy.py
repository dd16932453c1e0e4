"""Gemini through google-generativeai, which Google ended on 2025-11-30; for those whose code still stands on it.

It wants another protobuf than the rest of this program, so it lives in an environment of its own. This module and
what it imports need nothing else from there.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kazu_distill.errors import ConfigError
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
from kazu_distill.llm.protocol import Answer, LLMError, Price, Request, Sampling


class GeminiLegacyClient:
    """A Gemini model behind the ended SDK, over REST.

    The arguments are those of ``GeminiClient``, and so is ``identity``: each goes on with the other's stored answers.

    Raises:
        ConfigError: the SDK is not installed, or the address is none.
        Refused: the key's environment variable is not set.
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
        self._sampling = Sampling(temperature, top_p, max_output_tokens)
        self._timeout_s = timeout_s
        # The SDK's own coroutines cannot speak REST. Threads start as they are needed, so the bound is a far one.
        self._threads = ThreadPoolExecutor(max_workers=256, thread_name_prefix="gemini-legacy")
        self._sdk: Any = None if offline else _configured_sdk(self._endpoint)
        self.price = price
        self.identity: Mapping[str, Any] = identity(model, self._sampling)

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            LLMError: no answer came back.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, request)

    async def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, request: Request) -> Answer:
        model = self._sdk.GenerativeModel(
            self._endpoint.model,
            system_instruction=request.system,
            safety_settings=SAFETY_OFF,
            generation_config=generation_settings(request, self._sampling),
        )
        begun = time.perf_counter()
        # Its retries are switched off, as ours (retry.py) would multiply them.
        options = {"timeout": self._timeout_s, "retry": None}
        try:
            response = model.generate_content(conversation(request), request_options=options)
        except Exception as error:
            ours = _normalised(error, self._endpoint)
            if ours is None:
                raise
            raise ours from None  # the SDK's words may quote the key
        body = type(response._result).to_dict(response._result, use_integers_for_enums=False)
        return read_answer(body, time.perf_counter() - begun)


def _configured_sdk(endpoint: Endpoint) -> Any:
    try:
        sdk = importlib.import_module("google.generativeai")
    except ImportError:
        raise ConfigError(
            "llm=gemini_legacy needs Google's ended SDK: in an environment of its own, run"
            ' pip install "kazu-distill[gemini-legacy]"; or take llm=gemini'
        ) from None
    address = {"api_endpoint": endpoint.address}
    sdk.configure(api_key=endpoint.key, transport="rest", client_options=address)
    return sdk


def _normalised(error: Exception, endpoint: Endpoint) -> LLMError | None:
    """The error of ours that one of the SDK's, or of the HTTP library below it, stands for; None for a bug."""
    api = importlib.import_module("google.api_core.exceptions")
    http = importlib.import_module("requests.exceptions")
    unreadable = importlib.import_module("google.protobuf.json_format").ParseError
    if isinstance(error, api.GoogleAPICallError):
        response = error.response
        try:
            fault = read_fault(response.json())
        except ValueError:
            fault = read_fault({"message": response.text})
        return endpoint.failure(
            response.status_code,
            code=fault.code,
            message=fault.message,
            retry_after_s=fault.retry_after_s or retry_after_s(response.headers),
        )
    if isinstance(error, http.Timeout) and not isinstance(error, http.ConnectTimeout):
        return endpoint.timed_out()
    if isinstance(error, http.ConnectionError):
        # requests has one class for both; only its cause tells whether there was a connection.
        made = "Connection aborted" in str(error)
        return endpoint.dropped() if made else endpoint.unreachable()
    if isinstance(error, http.RequestException | unreadable):
        return endpoint.no_answer("answer of Gemini")
    return None
