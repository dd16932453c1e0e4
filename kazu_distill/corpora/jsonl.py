"""JSON lines: our own documents, or flat records of a text and its entities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kazu_distill.corpora.records import Record, attempt
from kazu_distill.document_files import document_from_record, json_values, read_lines, required_field, span_from_record
from kazu_distill.documents import Document, InvalidDocument, Section
from kazu_distill.errors import CorpusError


def read_jsonl(
    path: Path, *, id_field: str = "id", text_field: str = "text", spans_field: str = "entities"
) -> Iterator[Record | CorpusError]:
    """The documents of a file, or of every ``*.jsonl`` of a folder, a line each.

    A record with "sections" is one that a stage of ours wrote. Any other is flat: an id (text or whole number), a
    text, and, where it is labelled, a list of ``{"start", "end", "label"}`` with an optional "score" and "source";
    the document gets one section, "text". Further fields become the document's metadata.

    Args:
        path: the file or folder.
        id_field: the flat record's field that holds the id.
        text_field: the field that holds the text.
        spans_field: the field that holds the entities; a record without it has none.
    """

    def parse(where: str, line: bytes) -> Record:
        try:
            values = json_values(line)
            ours = isinstance(values, dict) and "sections" in values
            document = document_from_record(values) if ours else flat(values)
        except InvalidDocument as error:
            raise CorpusError(f"{where}: {error}") from error
        return Record(where, document)

    def flat(values: Any) -> Document:
        identifier = _identifier(values, id_field)
        try:
            text = required_field(values, text_field, str)
            spans = required_field(values, spans_field, list) if spans_field in values else []
            section = Section("text", text, tuple(span_from_record(span, source="gold") for span in spans))
        except InvalidDocument as error:
            raise InvalidDocument(f'document "{identifier}": {error}') from error
        known = (id_field, text_field, spans_field)
        return Document(identifier, (section,), {name: value for name, value in values.items() if name not in known})

    for file, number, line in read_lines(path):
        yield attempt(parse, f"{file}:{number}", line)


def _identifier(values: Any, field: str) -> str:
    """The id as a string; corpora of PubMed abstracts often have it as a number."""
    if isinstance(values, dict) and type(values.get(field)) is int:
        return str(values[field])
    identifier: str = required_field(values, field, str)
    return identifier
