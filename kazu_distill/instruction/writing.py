"""Records into files of JSON lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import orjson

from kazu_distill.document_files import atomic_writer
from kazu_distill.instruction.formats import format_of
from kazu_distill.instruction.records import Asked, Record

ASKED = "questions"
"""The folder of what the records ask about, a file a part."""


class RecordFiles:
    """The files of all parts, which take their names together when ``opened`` is left without an error.

    Line n of ``FORMAT/PART.jsonl`` is the n-th question of ``questions/PART.jsonl`` that is not left out.

    Args:
        out: the folder of ``questions``.
        lines: the folder of the formats' folders.
        formats: which of ``formats.FORMATS``.
        full: whether instruct-ner's ``raw_entities`` have the classes without mentions, too.
    """

    def __init__(self, out: Path, *, lines: Path, formats: Sequence[str], full: bool) -> None:
        self._folders = {ASKED: out / ASKED} | {name: lines / name for name in formats}
        self._formats = {name: format_of(name, full=full) for name in formats}
        self._files: dict[tuple[str, str], IO[bytes]] = {}
        self._open = ExitStack()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the files open."""
        with self._open:
            yield

    def add(self, part: str, asked: Asked, record: Record | None, *, left_out: str = "") -> None:
        """Write a question of a part, and its record, or why there is none."""
        self._file(ASKED, part).write(replace(asked, left_out=left_out).line())
        if record is not None:
            for name, form in self._formats.items():
                self._file(name, part).write(orjson.dumps(form(record), option=orjson.OPT_APPEND_NEWLINE))

    def begin(self, part: str) -> None:
        """Make a part's files, also if nothing comes."""
        for name in (ASKED, *self._formats):
            self._file(name, part)

    def _file(self, name: str, part: str) -> IO[bytes]:
        if (name, part) not in self._files:
            self._files[name, part] = self._open.enter_context(atomic_writer(self._folders[name] / f"{part}.jsonl"))
        return self._files[name, part]
