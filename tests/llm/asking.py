"""What the tests of this folder ask, and how they reach the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from kazu_distill.llm.azure import azure_client
from kazu_distill.llm.gemini import GeminiClient
from kazu_distill.llm.openai import OpenAIClient
from kazu_distill.llm.protocol import LLM, Answer, FinishReason, Request, Usage
from kazu_distill.llm.retry import RetryPolicy
from tests.llm_server import LLMServer

SCHEMA = {
    "type": "object",
    "properties": {
        "entities": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "entity_match": {"type": "string"},
                    "entity_class": {"type": "string", "enum": ["gene", "drug"]},
                },
                "required": ["entity_match", "entity_class"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["entities"],
    "additionalProperties": False,
}
QUESTION = Request(system="Find the genes.", user="BRCA1 and aspirin: α–β 😀", answer_schema=SCHEMA)
TEXT = '{"entities": [{"entity_match": "BRCA1", "entity_class": "gene"}]}'
ANSWER = Answer(TEXT, FinishReason.STOP, Usage(12, 7), 0.5)
KEY = "sk-very-secret-0123456789"
KEY_ENV = "KAZU_DISTILL_TEST_KEY"


def client_of(provider: str, url: str, **settings: Any) -> LLM:
    """A client of ``openai``, ``local``, ``azure`` or ``gemini`` for a server at ``url``; its key is in KEY_ENV."""
    common = {"api_key_env": KEY_ENV, "temperature": 0.3, "top_p": 0.95, "max_output_tokens": 100, "timeout_s": 10}
    makers: dict[str, Callable[..., LLM]] = {
        "openai": lambda **given: OpenAIClient(base_url=f"{url}/v1", **given),
        "local": lambda **given: OpenAIClient(
            base_url=f"{url}/v1", provider="local", token_limit_key="max_tokens", **given
        ),
        "azure": lambda **given: azure_client(base_url=url, api_version="2024-10-21", **given),
        "gemini": lambda **given: GeminiClient(base_url=url, **given),
    }
    return makers[provider](**{"model": "small-model", **common, **settings})


def retry_policy(**values: Any) -> RetryPolicy:
    """A policy that asks twice again after any failure, and at once."""
    kinds = ("rate_limit", "server_error", "timeout", "dropped_connection", "unreachable", "invalid_answer")
    return RetryPolicy(**{**dict.fromkeys(kinds, 2), "first_wait_s": 0.0, "longest_wait_s": 60.0, **values})


def ask(llm: LLM, request: Request = QUESTION) -> Answer:
    """Ask once and close the client."""

    async def once() -> Answer:
        try:
            return await llm.ask(request)
        finally:
            await llm.close()

    return asyncio.run(once())


def server(**settings: Any) -> LLMServer:
    """A server that answers every question with TEXT."""
    return LLMServer(lambda _system, _user: TEXT, **settings)
