"""The JSONL file of documents: a document a line, read with checks and written atomically."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from kazu_distill.documents import Document, InvalidDocument, Section, Span
from kazu_distill.errors import CorpusError, KazuDistillError

try:
    import fcntl
except ImportError:  # Windows, which does not let two processes rename one file
    fcntl = None  # type: ignore[assignment]


class BusyFile(KazuDistillError):
    """Another process is writing a file."""


def document_to_record(document: Document) -> dict[str, Any]:
    """A document as plain values, as they stand in a line of the file."""
    return {
        "id": document.id,
        "sections": [
            {
                "name": section.name,
                "text": section.text,
                "spans": [
                    {
                        "start": span.start,
                        "end": span.end,
                        "label": span.label,
                        "score": span.score,
                        "source": span.source,
                    }
                    for span in section.spans
                ],
            }
            for section in document.sections
        ],
        "metadata": dict(document.metadata),
    }


def document_from_record(record: Any) -> Document:
    """The document of a line's values.

    Raises:
        InvalidDocument: a field is missing or of the wrong kind, or a span is not inside its text.
    """
    identifier = required_field(record, "id", str)
    sections = []
    for number, section in enumerate(required_field(record, "sections", list)):
        try:
            text = required_field(section, "text", str)
            name = required_field(section, "name", str) if "name" in section else ""
            spans = required_field(section, "spans", list) if "spans" in section else []
            sections.append(Section(name, text, tuple(span_from_record(span) for span in spans)))
        except InvalidDocument as error:
            raise InvalidDocument(f'document "{identifier}", section {number}: {error}') from error
    metadata = record.get("metadata", {})
    if not isinstance(metadata, dict):
        raise InvalidDocument(f'document "{identifier}": "metadata" must be an object')
    return Document(identifier, tuple(sections), metadata)


def read_documents(path: Path, *, labels: Iterable[str] | None = None) -> Iterator[Document]:
    """The documents of a file, or of every ``*.jsonl`` file of a folder, in the order of their names.

    Args:
        path: the file or folder.
        labels: the classes that spans may have; None allows any.

    Raises:
        CorpusError: no such file, a broken line, an unknown class or a document id that comes twice; the message
            names file, line, document and reason.
    """
    allowed = None if labels is None else frozenset(labels)
    seen: dict[str, str] = {}
    for file, number, line in read_lines(path):
        where = f"{file}:{number}"
        document = document_of_line(line, where, allowed)
        if document.id in seen:
            raise CorpusError(f'{where}: document "{document.id}" stands already at {seen[document.id]}')
        seen[document.id] = where
        yield document


def document_of_line(line: bytes, where: str, labels: frozenset[str] | None) -> Document:
    """The document of a line of a file.

    Args:
        line: the line.
        where: names it in messages.
        labels: the classes that spans may have; None allows any.

    Raises:
        CorpusError: the line is broken, or a class is unknown.
    """
    try:
        document = document_from_record(json_values(line))
        check_labels(document, labels)
    except InvalidDocument as error:
        raise CorpusError(f"{where}: {error}") from error
    return document


def json_values(content: bytes) -> Any:
    """The values of a JSON text.

    Raises:
        InvalidDocument: it is not JSON; the message names the column, and the line unless there is only one.
    """
    content = content.rstrip()
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        line = f"line {error.lineno}, " if b"\n" in content else ""
        raise InvalidDocument(f"not JSON: {error.msg} ({line}column {error.colno})") from error


def check_labels(document: Document, allowed: frozenset[str] | None) -> None:
    """Check that every span has a known class.

    Raises:
        InvalidDocument: a class is unknown.
    """
    unknown = document.labels() - allowed if allowed is not None else None
    if unknown:
        known = ", ".join(sorted(allowed or ()))
        raise InvalidDocument(
            f'document "{document.id}": class "{min(unknown)}" is not in the schema ({known}); choose the schema '
            "that these documents were labelled with (schema=…)"
        )


def read_lines(path: Path, *, suffix: str | tuple[str, ...] = ".jsonl") -> Iterator[tuple[Path, int, bytes]]:
    """File, line number (from 1) and bytes of each line that is not blank, of a file or a folder of such files.

    A byte order mark at the beginning of a file is no part of its first line.

    Raises:
        CorpusError: there is no such file, or the folder has none.
    """
    for file in files_of(path, suffix=suffix):
        with file.open("rb") as lines:
            for number, line in lines_with_content(enumerate(lines, start=1)):
                yield file, number, line


def lines_with_content(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Of lines with their numbers, from 1, those that are not blank; without a byte order mark before the first."""
    for number, line in lines:
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if content.strip():
            yield number, content


def files_of(path: Path, *, suffix: str | tuple[str, ...]) -> list[Path]:
    """The file itself, or the folder's files (at any depth) that end with a ``suffix``, in the order of their names.

    Case is ignored in the suffix. Hidden files (``.x``) are not part of a corpus: half-written files, macOS's ``._x``.

    Raises:
        CorpusError: there is no such file or folder, or the folder has no such file.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CorpusError(f"{path}: no such file or folder")
    suffixes = (suffix,) if isinstance(suffix, str) else suffix
    named = (file for file in path.rglob("*") if file.name.lower().endswith(suffixes))
    files = sorted(file for file in named if not file.name.startswith(".") and file.is_file())
    if not files:
        raise CorpusError(f"{path}: the folder has no *{' or *'.join(suffixes)} file")
    return files


def write_documents(path: Path, documents: Iterable[Document]) -> int:
    """Write documents, a line each; the file appears whole or not at all. Returns how many there were."""
    count = 0
    with atomic_writer(path) as file:
        for document in documents:
            file.write(document_line(document))
            count += 1
    return count


def document_line(document: Document) -> bytes:
    """A document as a line of the file, with its newline."""
    return orjson.dumps(document_to_record(document), option=orjson.OPT_APPEND_NEWLINE)


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its name only when it is complete; after an error the old file is still there.

    Raises:
        BusyFile: another process is writing it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    with temporary.open("ab") as file:
        lock_unfinished(file, temporary, path)
        try:
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """What a file is called until it is complete."""
    return path.with_name(f".{path.name}.partial")


def lock_unfinished(file: IO[bytes], temporary: Path, path: Path) -> None:
    """Make sure that nobody else writes an unfinished file; the lock goes with the process, however that ends.

    Raises:
        BusyFile: somebody does.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_still_there = temporary.exists() and temporary.stat().st_ino == os.fstat(file.fileno()).st_ino
    except BlockingIOError:
        is_still_there = False
    if not is_still_there:
        raise BusyFile(f"{path}: another run is writing this file; wait for its end, or choose another out=…")


def span_from_record(record: Any, *, source: str = "") -> Span:
    """The span of a record's values; ``source`` is for records that name none.

    Raises:
        InvalidDocument: a field is missing or of the wrong kind.
    """
    start, end = required_field(record, "start", int), required_field(record, "end", int)
    label = required_field(record, "label", str)
    score = record.get("score", 1.0)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise InvalidDocument(f'"score" must be a number, not {score!r}')
    return Span(start, end, label, float(score), str(record.get("source", source)))


def required_field(record: Any, name: str, kind: type[Any]) -> Any:
    """The value of a record's field.

    Raises:
        InvalidDocument: the record is no object, or the field is missing or of another kind.
    """
    if not isinstance(record, dict):
        raise InvalidDocument(f"a record must be an object, not {type(record).__name__}")
    if name not in record:
        raise InvalidDocument(f'"{name}" is missing')
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidDocument(f'"{name}" must be {_KINDS[kind]}, not {value!r:.40}')
    return value


_KINDS: dict[type[Any], str] = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}
