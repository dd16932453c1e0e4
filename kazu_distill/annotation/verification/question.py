"""What is asked about doubtful spans: a text, and numbered questions about places in it."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.styles.explained import explained
from kazu_distill.annotation.verification.doubts import Doubt
from kazu_distill.llm.protocol import Request, Turn
from kazu_distill.schema import Schema

NUMBER, VERDICT, ANSWERS = "number", "verdict", "answers"
YES, NO = "yes", "no"
_AROUND = 25  # characters of the text on each side of a mention, by which its place is known
_TEXT_READ = "I have read the text. Which labels shall I check?"
_VERDICTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        ANSWERS: {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {NUMBER: {"type": "integer"}, VERDICT: {"type": "string", "enum": [YES, NO]}},
                "required": [NUMBER, VERDICT],
                "additionalProperties": False,
            },
        }
    },
    "required": [ANSWERS],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a section and the doubtful spans that begin in it; ``start`` is its offset in the section's text."""

    start: int
    text: str
    doubts: tuple[Doubt, ...]


def windows(text: str, doubts: Sequence[Doubt], chunker: Chunker, *, most: int) -> Iterator[Window]:
    """The parts of a section's text that have doubtful spans, with at most so many of them each."""
    if not doubts:
        return
    chunks = chunker.chunks(text)
    starts = [chunk.start for chunk in chunks]
    by_chunk: dict[int, list[Doubt]] = {}
    for doubt in doubts:
        by_chunk.setdefault(max(0, bisect_right(starts, doubt.span.start) - 1), []).append(doubt)
    for number, inside in sorted(by_chunk.items()):
        chunk = chunks[number]
        for first in range(0, len(inside), most):
            asked = tuple(inside[first : first + most])
            end = max(chunk.end, *(doubt.span.end for doubt in asked))  # a span may go over a chunk's edge
            yield Window(chunk.start, text[chunk.start : end], asked)


def question(window: Window, schema: Schema, instructions: str) -> Request:
    """Ask whether a window's doubtful spans are what their labels say, numbered from 1.

    The text is a message of its own. The mentions and what is around them are strings of a JSON object, which the
    instructions call material: nothing in a document stands among our words.
    """
    classes = dict.fromkeys(doubt.span.label for doubt in window.doubts)
    asked = {
        "classes": {label: meaning for label in classes if (meaning := _meaning(label, schema))},
        "questions": [_about(number, doubt, window) for number, doubt in enumerate(window.doubts, start=1)],
    }
    earlier = (Turn("user", window.text), Turn("assistant", _TEXT_READ))
    return Request(instructions, json.dumps(asked, ensure_ascii=False, separators=(",", ":")), _VERDICTS, earlier)


def _meaning(label: str, schema: Schema) -> str:
    entity_class = schema.find(label)
    return explained(entity_class, entity_class.name) if entity_class else ""


def _about(number: int, doubt: Doubt, window: Window) -> dict[str, Any]:
    start, end = doubt.span.start - window.start, doubt.span.end - window.start
    return {
        NUMBER: number,
        "before": window.text[max(0, start - _AROUND) : start],
        "mention": window.text[start:end],
        "after": window.text[end : end + _AROUND],
        "class": doubt.span.label,
    }
