"""Kazu's JSON, read and written as ``kazu.data.Document.from_json`` and ``to_json`` of Kazu 2.4 do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kazu_distill.corpora.mentions import check_mention, check_policy, one_stretch
from kazu_distill.corpora.records import Record, attempt
from kazu_distill.corpora.text import decoded_file
from kazu_distill.document_files import files_of, json_values, read_lines, required_field
from kazu_distill.documents import Document, InvalidDocument, Section, Span
from kazu_distill.errors import CorpusError


def read_kazu(path: Path, *, discontinuous: str = "envelope") -> Iterator[Record | CorpusError]:
    """The documents of ``*.json`` files, one a file, and of ``*.jsonl`` files, one a line.

    An entity's namespace, which in Kazu names the step that made it, becomes the span's source ("gold" where there is
    none). Linking candidates, mappings and metadata of sections and entities are passed over.

    Args:
        path: a file, or a folder.
        discontinuous: what becomes of an entity with several spans: ``envelope``, ``first`` or ``drop``; counted.
    """
    check_policy(discontinuous)
    for file in files_of(path, suffix=(".json", ".jsonl")):
        if file.suffix.lower() == ".jsonl":
            for _, number, line in read_lines(file):
                yield attempt(_record, f"{file}:{number}", line, discontinuous)
        else:
            yield attempt(_file_record, file, discontinuous)


def kazu_document(document: Document) -> dict[str, Any]:
    """A document as the values of Kazu's JSON; a score other than 1 is kept in the entity's metadata."""
    sections = [
        {
            "text": section.text,
            "name": section.name,
            "entities": [
                {
                    "match": section.mention(span),
                    "entity_class": span.label,
                    "spans": [{"start": span.start, "end": span.end}],
                    "namespace": span.source or "kazu_distill",
                    **({"metadata": {"score": span.score}} if span.score != 1.0 else {}),
                }
                for span in section.spans
            ],
        }
        for section in document.sections
    ]
    return {"idx": document.id, "sections": sections, "metadata": dict(document.metadata)}


def _file_record(file: Path, policy: str) -> Record:
    return _record(str(file), decoded_file(file).encode(), policy)


def _record(where: str, content: bytes, policy: str) -> Record:
    adjusted: Counter[str] = Counter()
    try:
        document = _document(json_values(content), policy, adjusted)
    except InvalidDocument as error:
        raise CorpusError(f"{where}: {error}") from error
    return Record(where, document, adjusted)


def _document(values: Any, policy: str, adjusted: Counter[str]) -> Document:
    identifier = required_field(values, "idx", str)
    sections = []
    try:
        for section in _optional_list(values, "sections"):
            text, name = required_field(section, "text", str), required_field(section, "name", str)
            spans = []
            for number, entity in enumerate(_optional_list(section, "entities")):
                try:
                    spans += _spans(entity, text, policy, adjusted)
                except InvalidDocument as error:
                    raise InvalidDocument(f'section "{name}": entity {number} {error}') from error
            sections.append(Section(name, text, tuple(spans)))
        metadata = required_field(values, "metadata", dict) if "metadata" in values else {}
    except InvalidDocument as error:
        raise InvalidDocument(f'document "{identifier}": {error}') from error
    return Document(identifier, tuple(sections), metadata)


def _spans(entity: Any, text: str, policy: str, adjusted: Counter[str]) -> list[Span]:
    label, written = required_field(entity, "entity_class", str), required_field(entity, "match", str)
    pieces = sorted(
        (required_field(span, "start", int), required_field(span, "end", int))
        for span in required_field(entity, "spans", list)
    )
    if not pieces:
        raise InvalidDocument(f'("{label}", "{written}") has no spans')
    # Kazu joins the pieces of a match as each step likes. Its LLM step writes the match in lower case.
    mention = written if len(pieces) == 1 else " ".join(text[start:end] for start, end in pieces)
    check_mention(pieces, label, mention, text, ignore_case=True)
    stretch = one_stretch(pieces, policy=policy, adjusted=adjusted)
    source = required_field(entity, "namespace", str) if "namespace" in entity else "gold"
    return [] if stretch is None else [Span(*stretch, label, source=source)]


def _optional_list(values: Any, name: str) -> list[Any]:
    """A list that Kazu leaves out where it is empty."""
    if isinstance(values, dict) and name not in values:
        return []
    items: list[Any] = required_field(values, name, list)
    return items
