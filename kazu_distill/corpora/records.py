"""What a reader hands to the corpus: a document and where it stands, or an error as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeAlias

from kazu_distill.documents import Document
from kazu_distill.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Record:
    """A document as a reader found it.

    ``where`` names its file, or file and line. ``adjusted`` counts what had to be bent for it to be a document of
    ours, by what was done ("discontinuous mentions replaced by their envelope").
    """

    where: str
    document: Document
    adjusted: Mapping[str, int] = field(default_factory=dict)


Reader: TypeAlias = Callable[[Path], Iterator[Record | CorpusError]]
"""Reads a file or a folder. A broken record is a value, not an exception, so that the records after it can be read."""

P = ParamSpec("P")


def attempt(read: Callable[P, Record], *args: P.args, **kwargs: P.kwargs) -> Record | CorpusError:
    """What ``read`` returns, or the CorpusError that it raises."""
    try:
        return read(*args, **kwargs)
    except CorpusError as error:
        return error
