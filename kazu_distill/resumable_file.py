"""A file of documents that a run which was ended before its time goes on with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from kazu_distill.document_files import (
    atomic_writer,
    document_from_record,
    document_line,
    json_values,
    lock_unfinished,
    unfinished,
)
from kazu_distill.documents import Document, InvalidDocument


class ResumableFile:
    """An unfinished file of labelled documents.

    After ``remaining``, ``kept`` is the number of documents that it had already, and ``misfit`` whether it had others,
    of another corpus or by another key.
    """

    def __init__(self, file: IO[bytes], *, misfit: bool) -> None:
        self.kept = 0
        self.misfit = misfit
        self._file = file

    def remaining(self, blocks: Iterator[Sequence[Document]]) -> Iterator[Sequence[Document]]:
        """The blocks of the corpus that are not yet labelled; what stands in the file behind the others is cut off.

        Only whole blocks are kept, since what is computed together depends on each other in the last digits: the file
        becomes the same, byte for byte, as without the interruption.
        """
        for block in blocks:
            begin = self._file.tell()
            if not self._has(block):
                self._file.seek(begin)
                self._file.truncate()
                return chain([block], blocks)
            self.kept += len(block)
        end = self._file.tell()
        self.misfit |= bool(self._file.readline())
        self._file.seek(end)
        self._file.truncate()
        return iter(())

    def append(self, documents: Iterable[Document]) -> None:
        """Write documents; those of a block at once."""
        self._file.write(b"".join(map(document_line, documents)))
        self._file.flush()

    def _has(self, block: Sequence[Document]) -> bool:
        for document in block:
            line = self._file.readline()
            if not line.endswith(b"\n"):  # the end, or a line that was not written to its end
                return False
            if not _is_labelled(document, line):
                self.misfit = True
                return False
        return True


@contextmanager
def resumable_file(path: Path, *, key: str) -> Iterator[ResumableFile]:
    """Open a file that takes its name when it is complete; until then it is kept, however the run ends.

    Args:
        path: the file; unfinished it is a hidden one beside it.
        key: names all that the labels depend on but the documents. What another key began is made anew.

    Raises:
        BusyFile: another process is writing it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    noted = temporary.with_name(f"{temporary.name}.json")
    with temporary.open("a+b") as file:
        lock_unfinished(file, temporary, path)
        is_other = _noted_key(noted) != key
        misfit = is_other and os.fstat(file.fileno()).st_size > 0
        if is_other:
            # In this order, so that there is never a line beside the key of another run.
            file.truncate(0)
            with atomic_writer(noted) as note:
                note.write(json.dumps({"key": key}).encode())
        file.seek(0)
        yield ResumableFile(file, misfit=misfit)
        file.flush()
        os.fsync(file.fileno())
        temporary.replace(path)
    noted.unlink(missing_ok=True)


def _noted_key(path: Path) -> str | None:
    try:
        key = json.loads(path.read_bytes())["key"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return key if isinstance(key, str) else None


def _is_labelled(document: Document, line: bytes) -> bool:
    """Whether a line is the document but for its spans."""
    try:
        kept = document_from_record(json_values(line))
    except InvalidDocument:
        return False
    return document_line(kept.without_spans()) == document_line(document.without_spans())
