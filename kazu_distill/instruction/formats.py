"""A record in the forms that programs for tuning read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kazu_distill.instruction.records import Record
from kazu_distill.llm.protocol import Turn

_TASK, _INPUT, _ANSWER = "### Task: ", "### Input: ", "### Answer: "


def instruct_ner(record: Record, *, full: bool) -> dict[str, Any]:
    """A record of instruct-ner: what it trains on is ``source``, followed by ``output``."""
    instruction = in_one_text(record)
    return {
        "instruction": instruction,
        "input": record.text,
        "output": record.answer,
        "source": f"{_TASK}{instruction}\n{_INPUT}{record.text}\n{_ANSWER}",
        "raw_entities": {name: list(mentions) for name, mentions in record.mentions.items() if mentions or full},
        "id": record.asked.id,
    }


def openai(record: Record) -> dict[str, Any]:
    """Chat messages; ``weight`` 0 keeps the answers of examples from being learnt, which are another record's."""
    earlier = [
        {"role": turn.role, "content": turn.text} | ({"weight": 0} if turn.role == "assistant" else {})
        for turn in record.earlier
    ]
    return {
        "messages": [
            {"role": "system", "content": record.instructions},
            *earlier,
            {"role": "user", "content": record.text},
            {"role": "assistant", "content": record.answer},
        ]
    }


def gemini(record: Record) -> dict[str, Any]:
    """Contents for tuning Gemini on Vertex AI."""
    roles = {"user": "user", "assistant": "model"}
    return {
        "systemInstruction": {"role": "system", "parts": [{"text": record.instructions}]},
        "contents": [{"role": roles[turn.role], "parts": [{"text": turn.text}]} for turn in _conversation(record)],
    }


def sharegpt(record: Record) -> dict[str, Any]:
    """A conversation, as LLaMA-Factory reads it with the description in ``dataset_info``."""
    speakers = {"user": "human", "assistant": "gpt"}
    return {
        "conversations": [{"from": speakers[turn.role], "value": turn.text} for turn in _conversation(record)],
        "system": record.instructions,
    }


def alpaca(record: Record) -> dict[str, Any]:
    """Instruction, input and output, each one text."""
    return {"instruction": in_one_text(record), "input": record.text, "output": record.answer}


FORMATS = ("instruct_ner", "openai", "gemini", "sharegpt", "alpaca")


def format_of(name: str, *, full: bool) -> Callable[[Record], dict[str, Any]]:
    """The function that writes a format; ``full`` is instruct-ner's choice to list classes without mentions, too."""
    others: dict[str, Callable[[Record], dict[str, Any]]] = {
        "openai": openai, "gemini": gemini, "sharegpt": sharegpt, "alpaca": alpaca,
    }  # fmt: skip
    return others.get(name) or (lambda record: instruct_ner(record, full=full))


def in_one_text(record: Record) -> str:
    """The guidelines with what was said earlier, for forms that have no turns."""
    said = {"user": "Text:", "assistant": "Answer:"}
    parts = [record.instructions, *(f"{said[turn.role]}\n{turn.text}" for turn in record.earlier)]
    return "\n\n".join(parts)


def dataset_info(formats: Iterable[str], parts: Iterable[str]) -> dict[str, Any]:
    """LLaMA-Factory's ``dataset_info.json`` for the files of those formats that it reads, ``FORMAT/PART.jsonl``."""
    parts = list(parts)
    return {
        f"{name}_{part}": {"file_name": f"{name}/{part}.jsonl", **_DESCRIPTIONS[name]}
        for name in formats
        if name in _DESCRIPTIONS
        for part in parts
    }


_DESCRIPTIONS: Mapping[str, Mapping[str, Any]] = {
    "sharegpt": {
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system"},
        "tags": {"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt"},
    },
    "openai": {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
            "system_tag": "system",
        },
    },
    "alpaca": {
        "formatting": "alpaca",
        "columns": {"prompt": "instruction", "query": "input", "response": "output"},
    },
}  # fmt: skip


def _conversation(record: Record) -> tuple[Turn, ...]:
    return (*record.earlier, Turn("user", record.text), Turn("assistant", record.answer))
