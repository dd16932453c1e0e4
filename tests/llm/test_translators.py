"""What is sent and what is understood, without a network."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import httpx2
import openai
import pytest
from google.genai import types

from kazu_distill.llm.endpoint import Endpoint, retry_after_s
from kazu_distill.llm.gemini import from_gemini, to_gemini
from kazu_distill.llm.gemini_messages import gemini_schema, read_answer, read_fault
from kazu_distill.llm.openai import from_openai, to_openai, words_of
from kazu_distill.llm.protocol import FinishReason, Refused, Sampling, Usage
from tests.llm.asking import QUESTION, SCHEMA


def test_openai_gets_instructions_and_text_as_messages_of_their_own() -> None:
    arguments = to_openai(QUESTION, {"model": "m"}, structured=False)
    assert arguments == {
        "model": "m",
        "messages": [{"role": "system", "content": QUESTION.system}, {"role": "user", "content": QUESTION.user}],
    }


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.SAFETY),
        ("tool_calls", FinishReason.OTHER),
    ],
)
def test_openai_finish_reasons_keep_their_meaning(finish: str, reason: FinishReason) -> None:
    assert from_openai(_completion(finish, "text", None), 1.5).finish_reason is reason


def test_an_openai_refusal_is_a_safety_stop_and_not_an_empty_answer() -> None:
    answer = from_openai(_completion("stop", None, "I cannot."), 1.5)
    assert (answer.text, answer.finish_reason) == ("", FinishReason.SAFETY)


def test_an_openai_answer_carries_what_it_took() -> None:
    answer = from_openai(_completion("stop", "text", None), 1.5)
    assert (answer.usage, answer.latency_s) == (Usage(5, 3), 1.5)


def test_gemini_gets_its_own_dialect_of_the_schema() -> None:
    item = gemini_schema(SCHEMA)["properties"]["entities"]["items"]
    assert item == {
        "type": "OBJECT",
        "properties": {
            "entity_match": {"type": "STRING"},
            "entity_class": {"type": "STRING", "format": "enum", "enum": ["gene", "drug"]},
        },
        "required": ["entity_match", "entity_class"],
    }


def test_gemini_gets_instructions_and_sampling() -> None:
    config = to_gemini(QUESTION, Sampling(0.3, None, 50))
    assert config.system_instruction == QUESTION.system
    assert (config.temperature, config.top_p, config.max_output_tokens) == (0.3, None, 50)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.SAFETY),
        ("BLOCKLIST", FinishReason.SAFETY),
        ("PROHIBITED_CONTENT", FinishReason.SAFETY),
        ("SPII", FinishReason.SAFETY),
        ("RECITATION", FinishReason.RECITATION),
        ("LANGUAGE", FinishReason.OTHER),
        ("A_REASON_OF_NEXT_YEAR", FinishReason.OTHER),
    ],
)
def test_gemini_finish_reasons_keep_their_meaning(finish: str, reason: FinishReason) -> None:
    assert read_answer({"candidates": [{"finish_reason": finish}]}, 0.0).finish_reason is reason


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"prompt_feedback": {"block_reason": "OTHER"}}, FinishReason.SAFETY),
        ({"candidates": [], "prompt_feedback": {}}, FinishReason.OTHER),
        ({}, FinishReason.OTHER),
    ],
)
def test_a_gemini_response_without_a_candidate_is_no_empty_answer(
    response: dict[str, Any], reason: FinishReason
) -> None:
    answer = read_answer(response, 0.0)
    assert (answer.text, answer.finish_reason) == ("", reason)


def test_gemini_thoughts_are_paid_for_but_are_not_the_answer() -> None:
    response = types.GenerateContentResponse.model_validate(
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": "Hm.", "thought": True}, {"text": "[1,"}, {"text": "2]"}]},
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3, "thoughtsTokenCount": 20},
        }
    )
    answer = from_gemini(response, 0.0)
    assert (answer.text, answer.usage) == ("[1,2]", Usage(5, 23))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, now=1_000_000) == seconds


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"error": "text"}, {"error": {"details": ["x", {"retryDelay": "soon"}]}}]
)
def test_a_body_that_is_no_fault_of_google_says_nothing_and_breaks_nothing(body: Any) -> None:
    assert read_fault(body).retry_after_s is None


def test_what_a_provider_says_is_shown_on_one_line_without_the_key() -> None:
    endpoint = Endpoint("openai", "https://api.example", "m", "KEY_NAME", "sk-123")
    shown = str(endpoint.failure(400, message="bad key sk-123\nin\tsk-123" + "x" * 1000))
    assert "sk-123" not in shown
    assert "\n" not in shown
    assert len(shown) < 400
    assert "sk-123" not in repr(endpoint)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (422, "{'detail': \"Unsupported fields in the request: {'response_format'}\"}"),
        (400, "This response_format type is unavailable now"),
        (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model"),
        (400, "'response_format.type' must be 'json_object' or 'text'"),
        (501, "response_format is not implemented"),
    ],
)
def test_a_refused_schema_is_told_from_a_refused_request(status: int, message: str) -> None:
    endpoint = Endpoint("local", "http://localhost/v1", "m", None, "none")
    error = endpoint.failure(status, message=message)
    assert isinstance(error, Refused)
    assert "set llm.structured=false" in str(error)
    assert not isinstance(endpoint.failure(500, message=message), Refused), "that may pass"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"message": "OpenAI's"}, "Error code: 400 - OpenAI's"),
        ({"detail": "FastAPI's"}, "Error code: 400 - FastAPI's"),
        ({"detail": [{"msg": "a list's"}]}, "Error code: 400 - [{'msg': \"a list's\"}]"),
        ("some words", "Error code: 400 - some words"),
        ("<html>a proxy's page</html>", "Error code: 400"),
        (None, "Error code: 400"),
    ],
)
def test_a_servers_words_are_shown_however_it_writes_them(body: object, shown: str) -> None:
    as_openai = isinstance(body, dict) and "message" in body  # that the SDK reads itself
    response = httpx2.Response(400, request=httpx2.Request("POST", "http://localhost"))
    error = openai.BadRequestError(shown if as_openai else "Error code: 400", response=response, body=body)
    assert words_of(error) == shown


def test_a_server_that_is_pinned_to_another_model_says_so() -> None:
    endpoint = Endpoint("local", "http://localhost/v1", "m", None, "none")
    error = endpoint.failure(400, message="Server is pinned to 'models/tuned'; requested 'm'.")
    assert isinstance(error, Refused)
    assert "model 'm' is unknown to http://localhost/v1 (400): set llm.model" in str(error)
    assert "pinned to 'models/tuned'" in str(error)


def test_a_server_that_wants_a_key_that_was_not_configured_says_so() -> None:
    error = Endpoint("local", "http://localhost", "m", None, "none").failure(401)
    assert isinstance(error, Refused)
    assert "without a key (llm.api_key_env)" in str(error)


def _completion(finish: str, content: str | None, refusal: str | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
    }
