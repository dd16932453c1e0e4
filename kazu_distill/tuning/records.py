"""What a model learns: questions with the right answers, out of the files that ``kazu_distill.instruct`` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kazu_distill.document_files import json_values, read_lines
from kazu_distill.documents import InvalidDocument
from kazu_distill.errors import CorpusError
from kazu_distill.llm.protocol import Request, Turn

FORMAT = "openai"
"""The format whose files are read: the one that keeps the turns of a conversation and says which of them is learnt."""
_ADVICE = "write them with python -m kazu_distill.instruct write formats=[openai]"


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """A question, and the answer that is right."""

    request: Request
    answer: str


def records_file(data: Path, part: str) -> Path:
    """The file of a part's records.

    Raises:
        CorpusError: it is not there; the message says how it is made.
    """
    file = data / FORMAT / f"{part}.jsonl"
    if not file.is_file():
        out = "" if data == Path("runs/instruct") else f" out={data}"
        raise CorpusError(f"{file}: no such file; {_ADVICE}{out}")
    return file


def read_records(file: Path) -> Iterator[ChatRecord]:
    """The records of a file of chat messages, in order.

    Raises:
        CorpusError: a line is none; the message names it.
    """
    for path, number, line in read_lines(file):
        try:
            yield _record(json_values(line))
        except InvalidDocument as error:
            raise CorpusError(f"{path}:{number}: no record of chat messages: {error}; {_ADVICE}") from error


def _record(values: Any) -> ChatRecord:
    messages = values.get("messages") if isinstance(values, dict) else None
    if not isinstance(messages, list) or len(messages) < 3:
        raise InvalidDocument('"messages" must have instructions, a question and an answer')
    said = [_said(message) for message in messages]
    roles = [role for role, _ in said]
    # The turns between instructions and answer begin and end with the user's, and alternate.
    if roles != ["system", *(("user", "assistant") * (len(said) // 2))] or messages[-1].get("weight") == 0:
        raise InvalidDocument(
            "messages must be one of the system, then of user and assistant in turn, the last the answer to learn"
        )
    (_, system), *earlier, (_, question), (_, answer) = said
    turns = tuple(Turn("user" if role == "user" else "assistant", text) for role, text in earlier)
    return ChatRecord(Request(system, question, {}, turns), answer)


def _said(message: Any) -> tuple[str, str]:
    role, text = (message.get(key) if isinstance(message, dict) else None for key in ("role", "content"))
    if not isinstance(role, str) or not isinstance(text, str):
        raise InvalidDocument('a message must have "role" and "content"')
    return role, text
