"""What must not be shown: the text that is asked about, or a text that a run is measured on, under whatever name.

Texts are compared by their shingles, exactly. One stands in another if the other has four of five of its shingles, so
that a paper keeps the abstract out that was labelled by itself, and the other way round; two texts that are nearly the
same stand in each other. Only what is about to be shown is compared, so the size of a pool costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.documents import Document
from kazu_distill.retrieval.pieces import Pieces
from kazu_distill.shingles import SIMILAR, folded, quick_shingles

_REMEMBERED = 4096  # texts whose shingles are kept; some tens of megabytes


class Leak(StrEnum):
    """Why something is not shown, as reports name it."""

    SELF = "excluded_self"
    NEAR_DUPLICATE = "excluded_near_duplicates"
    EVALUATION = "excluded_evaluation"


@dataclass(frozen=True, slots=True)
class _Profile:
    """A text for comparing: a digest of it when folded, and its shingles in ascending order, ``(shingles,)``."""

    digest: bytes
    shingles: NDArray[np.int64]

    @classmethod
    def of(cls, *texts: str) -> _Profile:
        text = folded(texts)
        return cls(blake2b(text.encode(), digest_size=16).digest(), quick_shingles(text))


class HeldOut:
    """The documents that a run is measured on, to be found by id, by text, and by parts of their text."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._ids: set[str] = set()
        shingles: list[NDArray[np.int64]] = []
        for document in documents:
            self._ids.add(document.id)
            if any(section.text.strip() for section in document.sections):
                shingles.append(_Profile.of(*(section.text for section in document.sections)).shingles)
        self._sizes = np.array([len(own) for own in shingles], np.int64)
        every = np.concatenate([np.empty(0, np.int64), *shingles])
        order = np.argsort(every, kind="stable")
        self._shingles = every[order]
        self._documents = np.repeat(np.arange(len(shingles)), self._sizes)[order]

    @classmethod
    def read(cls, paths: Iterable[str | Path]) -> Self:
        """Those of files or folders of JSONL.

        Raises:
            CorpusError: a file is not there, or a record is broken.
        """
        return cls(document for path in paths for document in Corpus(reader=read_jsonl, path=path))

    def leaks(self, pieces: Pieces) -> list[bool]:
        """For each piece, whether it or the whole that it belongs to is one of the documents, or a part of one."""
        of_whole = [whole.id in self._ids or self._has(_Profile.of(*whole.texts)) for whole in pieces.wholes]
        return [
            of_whole[owner] or (pieces.wholes[owner].texts != (text,) and self._has(_Profile.of(text)))
            for text, owner in zip(pieces.texts, pieces.owners, strict=True)
        ]

    def _has(self, profile: _Profile) -> bool:
        first = np.searchsorted(self._shingles, profile.shingles, "left")
        last = np.searchsorted(self._shingles, profile.shingles, "right")
        found = [self._documents[start:end] for start, end in zip(first, last, strict=True) if end > start]
        if not found:
            return False
        shared = np.bincount(np.concatenate(found), minlength=len(self._sizes))
        return bool((shared >= SIMILAR * np.minimum(len(profile.shingles), self._sizes)).any())


class LeakGuard:
    """Says for a question which pieces may be shown with it. May be used from several threads."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._of_whole = lru_cache(_REMEMBERED)(self._profile_of_whole)
        self._of_piece = lru_cache(_REMEMBERED)(self._profile_of_piece)
        self._last: tuple[Document, _Profile] | None = None

    def question(self, text: str, document: Document) -> Question:
        """The question about a text of a document."""
        last = self._last  # the chunks of a document come one after another
        if last is None or last[0] is not document:
            last = self._last = document, _Profile.of(*(section.text for section in document.sections))
        is_whole = len(document.sections) == 1 and document.sections[0].text == text
        return Question(self, document.id, last[1], last[1] if is_whole else _Profile.of(text))

    def leak(self, position: int, identifier: str, document: _Profile, text: _Profile) -> Leak | None:
        """Why a piece must not be shown with a text of a document; None where it may."""
        owner = self._pieces.owners[position]
        if self._pieces.wholes[owner].id == identifier:
            return Leak.SELF
        whole = self._of_whole(owner)
        piece = (
            whole if self._pieces.wholes[owner].texts == (self._pieces.texts[position],) else self._of_piece(position)
        )
        if document.digest in (whole.digest, piece.digest) or text.digest == piece.digest:
            return Leak.SELF
        is_near = (
            _stands_in(piece, document)
            or _stands_in(text, piece)
            or _stands_in(whole, document)
            or _stands_in(document, whole)
        )
        return Leak.NEAR_DUPLICATE if is_near else None

    def _profile_of_whole(self, owner: int) -> _Profile:
        return _Profile.of(*self._pieces.wholes[owner].texts)

    def _profile_of_piece(self, position: int) -> _Profile:
        return _Profile.of(self._pieces.texts[position])


class Question:
    """A text of a document; ``refused`` has what was asked for and may not be shown with it, and why."""

    def __init__(self, guard: LeakGuard, identifier: str, document: _Profile, text: _Profile) -> None:
        self.refused: dict[int, Leak] = {}
        self._guard = guard
        self._identifier = identifier
        self._document = document
        self._text = text

    def allows(self, position: int) -> bool:
        """Whether a piece may be shown."""
        leak = self._guard.leak(position, self._identifier, self._document, self._text)
        if leak is not None:
            self.refused[position] = leak
        return leak is None


def _stands_in(one: _Profile, other: _Profile) -> bool:
    """Whether a text stands in another one, nearly as it is."""
    few, many = sorted((one.shingles, other.shingles), key=len)
    if len(few) < SIMILAR * len(one.shingles):
        return False
    places = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return int((many[places] == few).sum()) >= SIMILAR * len(one.shingles)
