"""Which documents are nearly the same text, so that a split can keep them together.

Texts are compared as sets of shingles (runs of five words, without case). Candidates are found with one-permutation
MinHash (Li, Owen, Zhang 2012, "One Permutation Hashing") in bands, so that the work grows with the length of the texts
and not with the number of pairs; each candidate is then compared exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kazu_distill.documents import Document
from kazu_distill.shingles import are_similar, folded, shingles_of

_BINS = 64
# At a similarity of 0.8 a pair is a candidate with probability 1 - (1 - 0.8 ** 4) ** 16 = 0.9998.
_BAND = 4


def folded_text(document: Document) -> str:
    """The text of all sections, without case and with single spaces; what differs in nothing else has the same."""
    return folded(section.text for section in document.sections)


def groups_of_near_duplicates(documents: Sequence[Document]) -> list[list[int]]:
    """Positions of the documents, those of nearly the same text together.

    Texts are nearly the same if they are equal when folded, or if their shingles have a Jaccard similarity of at least
    ``shingles.SIMILAR``; a chain of such pairs is one group. Texts of a few sentences, too short to fill the
    bins of a band, are only compared folded. Empty texts are no duplicates of each other.

    Within a band's bucket a text is compared with the first one only, which keeps the work linear; a pair that meets
    in several bands is missed only if another text stands before it in each.
    """
    leader = list(range(len(documents)))

    def find(position: int) -> int:
        while leader[position] != position:
            leader[position] = leader[leader[position]]
            position = leader[position]
        return position

    first_with: dict[str | tuple[int, ...], int] = {}
    # By id, so that the groups do not depend on the order in which the documents come.
    for position in sorted(range(len(documents)), key=lambda position: documents[position].id):
        text = folded_text(documents[position])
        if not text:
            continue
        same = first_with.setdefault(text, position)
        if same != position:
            leader[find(position)] = find(same)
            continue
        shingles = shingles_of(text)
        for band in _bands(shingles):
            candidate = first_with.setdefault(band, position)
            # A band's bucket may have been opened by a text that is in the group already.
            if find(candidate) != find(position) and are_similar(
                shingles, shingles_of(folded_text(documents[candidate]))
            ):
                leader[find(position)] = find(candidate)
    groups: dict[int, list[int]] = {}
    for position in range(len(documents)):
        groups.setdefault(find(position), []).append(position)
    return list(groups.values())


def _bands(shingles: set[int]) -> Iterator[tuple[int, ...]]:
    """Keys under which similar texts meet: the band's number and the least hash of each of its bins."""
    least: dict[int, int] = {}
    for shingle in shingles:
        slot = shingle % _BINS
        if shingle < least.get(slot, shingle + 1):
            least[slot] = shingle
    for first in range(0, _BINS, _BAND):
        # Texts that both lack a shingle in a bin are not the more alike for it.
        if all(slot in least for slot in range(first, first + _BAND)):
            yield (first, *(least[slot] for slot in range(first, first + _BAND)))
