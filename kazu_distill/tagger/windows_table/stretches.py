"""Files of documents cut into stretches of whole lines, so that processes can share the work; and their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole lines of a file: bytes ``start`` to ``end`` (exclusive), of which the first is line ``line`` (from 1)."""

    file: Path
    start: int
    end: int
    line: int

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of each line."""
        with self.file.open("rb") as file:
            file.seek(self.start)
            number, place = self.line, self.start
            while place < self.end:
                line = file.readline()
                yield number, line
                number, place = number + 1, place + len(line)


def cut(file: Path, size: int) -> tuple[list[Stretch], str]:
    """The stretches of a file, at least one, of about ``size`` bytes each; and the SHA-256 of all of it."""
    digest = hashlib.sha256()
    stretches: list[Stretch] = []
    start, line = 0, 1  # of the stretch that is being measured
    place, lines = 0, 1  # of what has been read
    with file.open("rb") as content:
        while block := content.read(min(size, _BLOCK)):
            digest.update(block)
            after_newline = block.rfind(b"\n") + 1
            lines += block.count(b"\n")
            if after_newline and place + after_newline - start >= size:
                stretches.append(Stretch(file, start, place + after_newline, line))
                start, line = place + after_newline, lines
            place += len(block)
    if start < place or not stretches:
        stretches.append(Stretch(file, start, place, line))
    return stretches, digest.hexdigest()
