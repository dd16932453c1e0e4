"""Plain text: a file is a document."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from kazu_distill.corpora.records import Record, attempt
from kazu_distill.document_files import files_of
from kazu_distill.documents import Document, Section
from kazu_distill.errors import CorpusError


def read_text_files(path: Path) -> Iterator[Record | CorpusError]:
    """A document of one section, "text", for a file or for each ``*.txt`` of a folder.

    The id is the path within the folder without its suffix. The text is what the file holds: a ``\\r\\n`` stays two
    characters, so that offsets are those of the file. Only a byte order mark is left out, as it is no part of the
    text. An empty file is a document with an empty section.
    """
    for file in files_of(path, suffix=".txt"):
        yield attempt(_record, file, document_id(file, path))


def document_id(file: Path, corpus: Path) -> str:
    """The id of a document that is a file: its path within the corpus' folder, without suffix."""
    return (file.relative_to(corpus) if corpus.is_dir() else Path(file.name)).with_suffix("").as_posix()


def decoded_file(file: Path) -> str:
    """The text of a UTF-8 file, its line ends as they are.

    Raises:
        CorpusError: the file cannot be read, or is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise CorpusError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise CorpusError(f"{file}: not UTF-8 at byte {error.start} (0x{byte:02x}); save the file as UTF-8") from error


def _record(file: Path, identifier: str) -> Record:
    text = decoded_file(file).removeprefix(codecs.BOM_UTF8.decode())
    return Record(str(file), Document(identifier, (Section("text", text),)))
