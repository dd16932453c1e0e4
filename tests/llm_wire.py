"""Requests, answers and errors as they go over the wire at OpenAI, Azure and Gemini, faults included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Fault(Enum):
    """What can go wrong with a request."""

    RATE_LIMITED = "429, with the server's retry_after"
    QUOTA_USED_UP = "429, but waiting does not help"
    SERVER_ERROR = "500"
    KEY_REFUSED = "401, with the key in the words"
    MODEL_UNKNOWN = "404"
    SETTING_UNKNOWN = "400 about a parameter of the request"
    SCHEMA_UNKNOWN = "422 about response_format, as FastAPI writes errors"
    REJECTED = "400"
    TOO_LONG = "400: longer than the context"
    DROPPED = "the connection ends without an answer"
    STALLED = "nothing comes for stall_s"
    NOT_JSON = "200, but a page of HTML"
    NO_CHOICE = "200, but an empty object"
    CUT = "the answer's first half, stopped for length"
    MALFORMED = "the answer's first half, as if whole"
    SAFETY = "the answer is blocked"
    PROMPT_BLOCKED = "the question is blocked (OpenAI: refused in words)"
    RECITATION = "stopped for reciting (OpenAI has no such thing: an unknown reason)"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; header names are in lower case.

    ``turns`` are the roles (user, assistant) and texts of the conversation, ``user`` is the last text of the user.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    system: str
    user: str
    turns: tuple[tuple[str, str], ...] = ()

    @property
    def input_tokens(self) -> int:
        """About how many tokens it has."""
        return tokens(self.system) + sum(tokens(text) for _, text in self.turns)

    @property
    def is_gemini(self) -> bool:
        """Whether it is in Gemini's form."""
        return ":generateContent" in self.path


_ROLES = {"user": "user", "model": "assistant"}  # Gemini's names
# Status, OpenAI's code, words that the providers really use.
ERRORS = {
    Fault.RATE_LIMITED: (429, "rate_limit_exceeded", "Rate limit reached"),
    Fault.QUOTA_USED_UP: (429, "insufficient_quota", "You exceeded your current quota"),
    Fault.SERVER_ERROR: (500, None, "The server had an error"),
    Fault.KEY_REFUSED: (401, "invalid_api_key", "Incorrect API key provided"),
    Fault.MODEL_UNKNOWN: (404, "model_not_found", "The model does not exist"),
    Fault.SETTING_UNKNOWN: (400, "unsupported_value", "'temperature' does not support 0.3 with this model"),
    Fault.SCHEMA_UNKNOWN: (422, None, "Unsupported fields in the request: {'response_format'}"),
    Fault.REJECTED: (400, "invalid_request_error", "Something about this request is wrong"),
    Fault.TOO_LONG: (400, "context_length_exceeded", "The input token count (9) exceeds the maximum number of tokens"),
}


def texts_of(body: Mapping[str, Any]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """The system text, the last user text and all turns of a request."""
    if "messages" in body:
        said = [(message["role"], message["content"]) for message in body["messages"]]
        system = "".join(text for role, text in said if role == "system")
        turns = tuple(turn for turn in said if turn[0] != "system")
    else:
        instruction = body.get("systemInstruction") or body.get("system_instruction") or {"parts": []}
        system = _joined(instruction["parts"])
        turns = tuple((_ROLES[content.get("role", "user")], _joined(content["parts"])) for content in body["contents"])
    return system, next(text for role, text in reversed(turns) if role == "user"), turns


def answer_of(received: Received, answer: str, fault: Fault | None) -> dict[str, Any]:
    """The body of a response with status 200."""
    make = _gemini_answer if received.is_gemini else _openai_answer
    return make(received, answer, fault)


def error_of(received: Received, fault: Fault, retry_after: str | None) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of an error; OpenAI says how long to wait in a header, Google seconds in the body."""
    status, code, words = ERRORS[fault]
    if fault is Fault.KEY_REFUSED:
        words += f": {received.headers}"
    wait = retry_after if fault is Fault.RATE_LIMITED else None
    headers = {"Retry-After": wait} if wait else {}
    if fault is Fault.SCHEMA_UNKNOWN:
        return status, {"detail": words}, headers
    if not received.is_gemini:
        error: dict[str, Any] = {"message": words, "type": "error", "param": None, "code": code}
        return status, {"error": error}, headers
    details: list[dict[str, Any]] = []
    seconds = wait is not None and re.fullmatch(r"[\d.]+", wait)
    if seconds:
        headers = {}
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait}s"})
    if fault is Fault.QUOTA_USED_UP:
        quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]})
    if fault is Fault.KEY_REFUSED:
        status = 400  # so Google does, with the reason in the details
        details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"})
    name = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(status, "INTERNAL")
    return status, {"error": {"code": status, "message": words, "status": name, "details": details}}, headers


def tokens(text: str) -> int:
    """About how many tokens a text has: four characters each."""
    return (len(text) + 3) // 4


def _joined(parts: Iterable[Mapping[str, str]]) -> str:
    return "".join(part["text"] for part in parts)


def _openai_answer(received: Received, answer: str, fault: Fault | None) -> dict[str, Any]:
    stops = {Fault.CUT: "length", Fault.SAFETY: "content_filter", Fault.RECITATION: "recitation"}
    text = _as_given(answer, fault)
    refusal = "I cannot help with that." if fault is Fault.PROMPT_BLOCKED else None
    message = {"role": "assistant", "content": None if refusal else text, "refusal": refusal}
    asked, written = received.input_tokens, tokens(text)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": received.body.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": stops.get(fault, "stop") if fault else "stop"}],
        "usage": {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written},
    }


def _gemini_answer(received: Received, answer: str, fault: Fault | None) -> dict[str, Any]:
    asked = received.input_tokens
    if fault is Fault.PROMPT_BLOCKED:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": asked}}
    stops = {Fault.CUT: "MAX_TOKENS", Fault.SAFETY: "SAFETY", Fault.RECITATION: "RECITATION"}
    text = _as_given(answer, fault)
    candidate: dict[str, Any] = {"index": 0, "finishReason": stops.get(fault, "STOP") if fault else "STOP"}
    if text:
        candidate["content"] = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": asked, "candidatesTokenCount": tokens(text), "totalTokenCount": asked + tokens(text)}
    return {"candidates": [candidate], "usageMetadata": usage}


def _as_given(answer: str, fault: Fault | None) -> str:
    if fault in (Fault.CUT, Fault.MALFORMED):
        return answer[: len(answer) // 2]
    return "" if fault in (Fault.SAFETY, Fault.RECITATION) else answer
