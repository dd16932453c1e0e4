"""A few documents of many: the ones that are shown already, and then some of every class."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kazu_distill.documents import Document


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a sample knows of a document: its id, how many tasks it makes, and its classes."""

    id: str
    tasks: int
    labels: frozenset[str]

    @classmethod
    def of(cls, document: Document) -> Candidate:
        return cls(document.id, len(document.sections), frozenset(document.labels()))


def sample(candidates: Sequence[Candidate], *, size: int, seed: int, first: Iterable[str] = ()) -> set[str]:
    """Ids of documents that make at most ``size`` tasks together; documents are taken whole.

    Those of ``first`` come first, in their order: what one push has chosen, later ones show again, whatever classes
    their model predicts. The rest is stratified: of the documents with a class, the rarest class first, the share is
    taken that the sample has of the whole, and one at least; documents without any are a class of their own. Which
    ones is decided by ``seed`` and the ids alone, in whatever order they come.
    """

    def drawn(candidate: Candidate) -> bytes:
        return hashlib.sha256(f"{seed}:{candidate.id}".encode(errors="surrogatepass")).digest()

    chosen = _Chosen(size)
    by_id = {candidate.id: candidate for candidate in candidates}
    for identifier in first:
        if identifier in by_id:
            chosen.take(by_id[identifier])
    shuffled = sorted(by_id.values(), key=drawn)
    share = size / max(1, sum(candidate.tasks for candidate in shuffled))
    holding = Counter(label for candidate in shuffled for label in _strata(candidate))
    for label, count in sorted(holding.items(), key=lambda item: (item[1], item[0])):
        wanted = math.ceil(share * count)
        for candidate in shuffled:
            if chosen.having[label] >= wanted:
                break
            if label in _strata(candidate):
                chosen.take(candidate)
    for candidate in shuffled:
        chosen.take(candidate)
    return chosen.ids


class _Chosen:
    """The documents so far, how many tasks there is still room for, and how many have each class."""

    def __init__(self, room: int) -> None:
        self.ids: set[str] = set()
        self.having: Counter[str] = Counter()
        self._room = room

    def take(self, candidate: Candidate) -> None:
        """Add a document unless it is there already or is too large."""
        if candidate.id not in self.ids and candidate.tasks <= self._room:
            self.ids.add(candidate.id)
            self.having.update(_strata(candidate))
            self._room -= candidate.tasks


def _strata(candidate: Candidate) -> frozenset[str]:
    return candidate.labels or frozenset({""})  # no class is called that
