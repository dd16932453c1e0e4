"""Gemini's requests, answers and faults as plain JSON values: what Google's two SDKs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kazu_distill.llm.protocol import Answer, FinishReason, Request, Sampling, Usage

# Both SDKs store their answers under this name, so that one can go on with the other's.
PROVIDER = "gemini"
ADDRESS = "https://generativelanguage.googleapis.com"

# Disease, drugs and anatomy set off filters that are made for conversations.
SAFETY_OFF = [
    {"category": f"HARM_CATEGORY_{name}", "threshold": "BLOCK_NONE"}
    for name in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
]

_SAFETY = {"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK"}
_FINISH_REASONS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "RECITATION": FinishReason.RECITATION,
    **dict.fromkeys(_SAFETY, FinishReason.SAFETY),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What the body of an error response says; ``retry_after_s`` is in seconds."""

    code: str
    message: str
    retry_after_s: float | None


def identity(model: str, sampling: Sampling) -> dict[str, Any]:
    """What determines an answer of Gemini, whichever SDK asks."""
    return {
        "provider": PROVIDER,
        "model": model,
        "temperature": None if sampling.temperature is None else float(sampling.temperature),
        "top_p": None if sampling.top_p is None else float(sampling.top_p),
        "max_output_tokens": sampling.max_output_tokens,
    }


def generation_settings(request: Request, sampling: Sampling) -> dict[str, Any]:
    """How the answer is to be made: sampling, and JSON that keeps to the request's schema, if it has one."""
    settings: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_output_tokens": sampling.max_output_tokens,
    }
    if request.answer_schema:
        settings["response_mime_type"] = "application/json"
        settings["response_schema"] = gemini_schema(request.answer_schema)
    return {name: value for name, value in settings.items() if value is not None}


def conversation(request: Request) -> list[dict[str, Any]]:
    """What was said before and the question, in Gemini's form: it calls the assistant ``model``."""
    roles = {"user": "user", "assistant": "model"}
    turns = [{"role": roles[turn.role], "parts": [{"text": turn.text}]} for turn in request.earlier]
    return [*turns, {"role": "user", "parts": [{"text": request.user}]}]


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema in Gemini's dialect: types in capitals, enums marked, nothing about additional properties."""
    translated: dict[str, Any] = {"type": schema["type"].upper()}
    if "properties" in schema:
        translated["properties"] = {name: gemini_schema(value) for name, value in schema["properties"].items()}
        translated["required"] = list(schema.get("required", ()))
    if "items" in schema:
        translated["items"] = gemini_schema(schema["items"])
    if "enum" in schema:
        translated |= {"format": "enum", "enum": list(schema["enum"])}
    if "description" in schema:
        translated["description"] = schema["description"]
    return translated


def read_answer(response: Mapping[str, Any], latency_s: float) -> Answer:
    """The answer in a response, with keys in snake case and enums by name.

    A question that was blocked brings no candidate; it counts as stopped for safety.
    """
    usage = response.get("usage_metadata") or {}
    candidates = response.get("candidates") or []
    candidate = candidates[0] if candidates else {}
    parts = (candidate.get("content") or {}).get("parts") or []
    blocked = (response.get("prompt_feedback") or {}).get("block_reason")
    reason = candidate.get("finish_reason") or ("SAFETY" if blocked else "OTHER")
    return Answer(
        text="".join(part.get("text") or "" for part in parts if not part.get("thought")),
        finish_reason=_FINISH_REASONS.get(reason, FinishReason.OTHER),
        usage=Usage(
            usage.get("prompt_token_count") or 0,
            (usage.get("candidates_token_count") or 0) + (usage.get("thoughts_token_count") or 0),
        ),
        latency_s=latency_s,
    )


def read_fault(body: Any) -> Fault:
    """What an error's body says: its reason, its words, and how long Google asks us to wait."""
    error = body.get("error", body) if isinstance(body, Mapping) else {}
    if not isinstance(error, Mapping):
        return Fault("", str(error), None)
    details = [detail for detail in error.get("details") or () if isinstance(detail, Mapping)]
    reasons = [str(detail["reason"]) for detail in details if "reason" in detail]
    # The minute's quota comes back, so it is worth waiting for; the day's is not.
    daily = any("PerDay" in quota for quota in _quotas(details))
    delays = [str(detail["retryDelay"]) for detail in details if "retryDelay" in detail]
    return Fault(
        code="daily_quota" if daily else next(iter(reasons), ""),
        message=str(error.get("message") or ""),
        retry_after_s=_seconds(delays[0]) if delays else None,
    )


def _quotas(details: list[Mapping[str, Any]]) -> Iterator[str]:
    for detail in details:
        for violation in detail.get("violations") or ():
            yield str(violation.get("quotaId", ""))


def _seconds(duration: str) -> float | None:
    """The seconds of a protobuf duration in JSON, such as ``"47.5s"``."""
    try:
        return float(duration.removesuffix("s"))
    except ValueError:
        return None
