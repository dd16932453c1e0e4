"""What a model is tuned on: a question about a text, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.document_files import required_field
from kazu_distill.documents import InvalidDocument
from kazu_distill.llm.protocol import Turn


@dataclass(frozen=True, slots=True)
class Asked:
    """What a record asks about: a chunk of a document's section, and the classes under the names that it shows.

    ``names`` has the true class for each name shown. ``digest`` tells whether a document still has the text.
    ``left_out`` says why there is no such record among those written; empty for one that is there.
    """

    id: str
    document_id: str
    section: int
    chunk: Chunk
    names: Mapping[str, str]
    digest: str
    left_out: str = ""

    def line(self) -> bytes:
        """It as a line of a file."""
        values = {
            "id": self.id, "document": self.document_id, "section": self.section, "start": self.chunk.start,
            "end": self.chunk.end, "names": dict(self.names), "digest": self.digest, "left_out": self.left_out,
        }  # fmt: skip
        return orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def of(cls, values: Any) -> Asked:
        """It out of a line's values.

        Raises:
            InvalidDocument: a field is missing or of the wrong kind.
        """
        names = required_field(values, "names", dict)
        if not names or not all(isinstance(name, str) for name in names.values()):
            raise InvalidDocument('"names" must have a class for each name that was shown')
        return cls(
            required_field(values, "id", str),
            required_field(values, "document", str),
            required_field(values, "section", int),
            Chunk(required_field(values, "start", int), required_field(values, "end", int)),
            names,
            required_field(values, "digest", str),
            required_field(values, "left_out", str),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """A question as an LLM gets it, and the answer that is right.

    Args:
        asked: what it asks about.
        instructions: the guidelines, as the system's message.
        earlier: examples, background and context, turn by turn.
        text: the text that is asked about.
        answer: in the form that the guidelines ask for.
        mentions: of each class, under the name shown, in the order of the guidelines.
        spans: how many spans the answer stands for.
    """

    asked: Asked
    instructions: str
    earlier: tuple[Turn, ...]
    text: str
    answer: str
    mentions: Mapping[str, tuple[str, ...]]
    spans: int


def digest_of(text: str) -> str:
    """A short string that is hardly ever the same for another text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
