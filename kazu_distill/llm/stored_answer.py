"""An answer with the question it belongs to: its key, and its text form, in which a store can be published.

The text form is JSONL with two kinds of lines. The system text and the answer's schema are the same for all requests
of a run, so they stand once, in a line of their own before the first answer that refers to it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kazu_distill.errors import KazuDistillError
from kazu_distill.llm.protocol import Answer, FinishReason, Request, Turn, Usage


class StoreError(KazuDistillError):
    """An answer store, or its text form, cannot be read or written."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer, the request that it answers, who gave it, and when (UTC, ISO 8601)."""

    identity: Mapping[str, Any]
    request: Request
    answer: Answer
    time: str


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def request_key(identity: Mapping[str, Any], request: Request) -> str:
    """SHA-256, in hexadecimal, of all that determines an answer."""
    parts = {
        "identity": dict(identity),
        "system": request.system,
        "user": request.user,
        "answer_schema": dict(request.answer_schema),
        **_conversation(request),
    }
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def _conversation(request: Request) -> dict[str, Any]:
    """What of a request is more than one question; most have none of it, and then it is left out."""
    conversation: dict[str, Any] = {}
    if request.earlier:
        conversation["earlier"] = [{"role": turn.role, "text": turn.text} for turn in request.earlier]
    if request.sample:
        conversation["sample"] = request.sample
    return conversation


def instructions_id(request: Request) -> str:
    """SHA-256, in hexadecimal, of the system text and the answer's schema."""
    parts = {"system": request.system, "answer_schema": dict(request.answer_schema)}
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def lines(stored_answers: Iterable[StoredAnswer]) -> Iterator[str]:
    """The text form, line by line, without line ends."""
    written: set[str] = set()
    for stored in stored_answers:
        request, answer = stored.request, stored.answer
        instructions = instructions_id(request)
        if instructions not in written:
            written.add(instructions)
            schema = dict(request.answer_schema)
            yield _json({"kind": "instructions", "id": instructions, "system": request.system, "answer_schema": schema})
        yield _json(
            {
                "kind": "answer",
                "identity": dict(stored.identity),
                "instructions": instructions,
                "user": request.user,
                "text": answer.text,
                "finish_reason": answer.finish_reason.value,
                "input_tokens": answer.usage.input_tokens,
                "output_tokens": answer.usage.output_tokens,
                "latency_s": answer.latency_s,
                "time": stored.time,
                **_conversation(request),
            }
        )


def read_lines(path: Path) -> Iterator[StoredAnswer]:
    """The answers in a file of the text form.

    Raises:
        StoreError: there is no such file, or a line is not what it should be; names file, line and reason.
    """
    instructions: dict[str, tuple[str, Mapping[str, Any]]] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    record = json.loads(line)
                    if _value(record, "kind", str) == "instructions":
                        system, schema = _value(record, "system", str), _value(record, "answer_schema", dict)
                        identifier = _value(record, "id", str)
                        _check(identifier == instructions_id(Request(system, "", schema)), "id is not that of the text")
                        instructions[identifier] = (system, schema)
                    else:
                        yield _stored_answer(record, instructions)
                except (ValueError, RecursionError) as error:
                    raise StoreError(f"{path}:{number}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: {error}") from error


def _stored_answer(record: Any, instructions: Mapping[str, tuple[str, Mapping[str, Any]]]) -> StoredAnswer:
    _check(record["kind"] == "answer", f"kind is neither instructions nor answer: {record['kind']!r}")
    identifier = _value(record, "instructions", str)
    _check(identifier in instructions, "no line before this one holds its instructions")
    system, schema = instructions[identifier]
    usage = Usage(_value(record, "input_tokens", int), _value(record, "output_tokens", int))
    _check(min(usage.input_tokens, usage.output_tokens) >= 0, "a number of tokens is negative")
    latency_s = float(_value(record, "latency_s", int | float))
    _check(math.isfinite(latency_s) and latency_s >= 0, "latency_s is no time")
    time = _value(record, "time", str)
    datetime.fromisoformat(time)
    finish_reason = FinishReason(_value(record, "finish_reason", str))
    return StoredAnswer(
        identity=_value(record, "identity", dict),
        request=Request(system, _value(record, "user", str), schema, _turns(record), _sample(record)),
        answer=Answer(_value(record, "text", str), finish_reason, usage, latency_s),
        time=time,
    )


def _turns(record: Any) -> tuple[Turn, ...]:
    if "earlier" not in record:
        return ()
    turns = []
    for turn in _value(record, "earlier", list):
        role = _value(turn, "role", str)
        _check(role in ("user", "assistant"), f"role is neither user nor assistant: {role!r:.80}")
        turns.append(Turn("user" if role == "user" else "assistant", _value(turn, "text", str)))
    return tuple(turns)


def _sample(record: Any) -> int:
    sample = int(_value(record, "sample", int)) if "sample" in record else 0
    _check(sample >= 0, "sample is negative")
    return sample


def _value(record: Any, name: str, kind: Any) -> Any:
    _check(isinstance(record, dict), "not a JSON object")
    _check(name in record, f"{name} is missing")
    value = record[name]
    _check(isinstance(value, kind) and not isinstance(value, bool), f"{name} is of the wrong type: {value!r:.80}")
    return value


def _check(holds: bool, reason: str) -> None:
    if not holds:
        raise ValueError(reason)


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False)
