"""What could not be labelled, as data: ``failed.jsonl``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import orjson

from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.document_files import json_values, read_lines, required_field
from kazu_distill.documents import InvalidDocument
from kazu_distill.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Failure:
    """A chunk of a document's section that a voter gave no usable answer about: why, and its raw answer, if any.

    ``asked`` are the classes that the question was about.
    """

    document_id: str
    section: int
    chunk: Chunk
    voter: str
    kind: str
    message: str
    answer: str = ""
    asked: tuple[str, ...] = ()

    def line(self) -> bytes:
        """The failure as a line of ``failed.jsonl``."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


class FailedChunks:
    """The chunks in which an earlier run failed, for one that asks about those alone.

    Args:
        chunks: document, voter, section, chunk and the classes that were asked about; none, where that is not known.
        lines: the documents' lines of ``failed.jsonl``.
    """

    def __init__(
        self, chunks: Iterable[tuple[str, str, int, Chunk, tuple[str, ...]]], lines: Mapping[str, bytes]
    ) -> None:
        self._chunks = frozenset(chunks)
        self._documents = dict(lines)

    def __len__(self) -> int:
        """The number of documents."""
        return len(self._documents)

    def has_document(self, document_id: str) -> bool:
        """Whether anything of a document failed."""
        return document_id in self._documents

    def lines_of(self, document_id: str) -> bytes:
        """What was said of a document."""
        return self._documents.get(document_id, b"")

    def lines_without(self, document_ids: Collection[str]) -> bytes:
        """What was said of all documents but some."""
        return b"".join(lines for document_id, lines in self._documents.items() if document_id not in document_ids)

    def has_chunk(self, document_id: str, voter: str, section: int, chunk: Chunk, asked: Sequence[str]) -> bool:
        """Whether a voter failed at this very chunk, when it was asked about these classes."""
        return any((document_id, voter, section, chunk, classes) in self._chunks for classes in (tuple(asked), ()))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The chunks of a ``failed.jsonl``.

        Raises:
            CorpusError: there is no such file, or it is none.
        """
        chunks = []
        lines: dict[str, bytes] = defaultdict(bytes)
        for file, number, line in read_lines(path):
            try:
                record = json_values(line)
                edges = required_field(record, "chunk", dict)
                chunk = Chunk(required_field(edges, "start", int), required_field(edges, "end", int))
                document_id, voter = required_field(record, "document_id", str), required_field(record, "voter", str)
                lines[document_id] += line.rstrip() + b"\n"
                asked = tuple(map(str, record.get("asked") or ()))
                chunks.append((document_id, voter, required_field(record, "section", int), chunk, asked))
            except InvalidDocument as error:
                raise CorpusError(f"{file}:{number}: not a line of failed.jsonl: {error}") from error
        return cls(chunks, lines)
