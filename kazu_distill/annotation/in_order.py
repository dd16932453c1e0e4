"""Lines that come in any order, written in theirs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class InOrder:
    """Writes numbered lines to a file in the order of their numbers, which begin at 0.

    A document that waits for a slow provider does not hold up those behind it: they wait on disk, and of each only its
    place there is in memory.

    Args:
        file: where the lines go.
        folder: where lines wait for those before them.
    """

    def __init__(self, file: IO[bytes], *, folder: Path) -> None:
        self._file = file
        self._waiting_file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 — closed by __exit__
        self._waiting: dict[int, tuple[int, int]] = {}
        self._next = 0
        self._end = 0

    def put(self, number: int, line: bytes) -> None:
        """Take a line; an empty one stands for a number that has none."""
        if number != self._next:
            self._waiting_file.seek(self._end)
            self._waiting_file.write(line)
            self._waiting[number] = (self._end, len(line))
            self._end += len(line)
            return
        self._file.write(line)
        self._next += 1
        while place := self._waiting.pop(self._next, None):
            self._waiting_file.seek(place[0])
            self._file.write(self._waiting_file.read(place[1]))
            self._next += 1
        if not self._waiting:
            self._end = 0  # the room is used again

    def flush(self) -> None:
        """Write what still waits, in order, where numbers before it never came."""
        for number in sorted(self._waiting):
            start, length = self._waiting.pop(number)
            self._waiting_file.seek(start)
            self._file.write(self._waiting_file.read(length))
            self._next = number + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting_file.close()
