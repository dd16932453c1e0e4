"""What is searched: texts in pieces, of which each belongs to a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol


class Stretch(Protocol):
    """A stretch of a text, in code points, end exclusive."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Chunker(Protocol):
    """Cuts texts."""

    def chunks(self, text: str) -> Sequence[Stretch]:
        """The stretches of a text, without those that are only space."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A document or file, by its id and the texts that it is made of."""

    id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Texts, and the whole that each belongs to: ``wholes[owners[position]]``."""

    texts: Sequence[str]
    owners: Sequence[int]
    wholes: Sequence[Whole]

    def __len__(self) -> int:
        return len(self.texts)

    def only(self, positions: Sequence[int]) -> Pieces:
        """Some of the pieces; the wholes stay."""
        return Pieces([self.texts[at] for at in positions], [self.owners[at] for at in positions], self.wholes)


def digest_of(texts: Sequence[str], *settings: object) -> str:
    """A name for an index: other texts, another order or other settings give another one."""
    digest = blake2b(repr(settings).encode(), digest_size=16)
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()
