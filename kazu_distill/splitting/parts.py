"""Documents put into parts: at random by a seed, or as an earlier split has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from kazu_distill.documents import Document
from kazu_distill.errors import KazuDistillError
from kazu_distill.splitting.duplicates import groups_of_near_duplicates
from kazu_distill.splitting.stratify import Group, stratify

REST = "train"
"""The part that gets every document that no other part asks for."""


class SplitError(KazuDistillError):
    """Documents cannot be split as asked."""


def split_documents(
    documents: Sequence[Document], *, shares: Mapping[str, float], seed: int
) -> dict[str, list[Document]]:
    """Put documents into ``train`` and the parts of ``shares``, so that every class is spread as evenly as it can be.

    Documents of nearly the same text stay together. The parts depend on the documents and the seed, not on the order
    in which the documents come; within a part they keep that order.

    Args:
        documents: with unique ids.
        shares: what each part but ``train`` gets: a fraction of the documents below 1 (``0.1``), or a whole number of
            documents (``100``; also ``1``). Met exactly, unless a group of near-duplicates finds no room.
        seed: another seed gives another split.

    Raises:
        SplitError: there are no documents, an id comes twice, or a share is negative or leaves a part empty.
    """
    _check_unique(documents)
    sizes = _sizes(shares, len(documents))
    shuffled = sorted(documents, key=lambda document: _shuffle_key(document, seed))
    members = groups_of_near_duplicates(shuffled)
    groups = [_group([shuffled[position] for position in group]) for group in members]
    part_of: dict[str, str] = {}
    for group, part in zip(members, stratify(groups, sizes), strict=True):
        part_of.update((shuffled[position].id, part) for position in group)
    parts = _in_parts(documents, sizes, part_of)
    for part, inside in parts.items():
        if not inside:
            raise SplitError(
                f"the part {part} would be empty: {len(documents):,} documents are only {len(groups):,} different "
                "texts; ask for fewer parts, or remove the near-duplicates"
            )
    return parts


def split_like(documents: Sequence[Document], earlier: Mapping[str, Iterable[str]]) -> dict[str, list[Document]]:
    """Put documents into the parts of an earlier split, in the order in which they come.

    Args:
        documents: the documents of the earlier split, perhaps with other spans.
        earlier: the ids of the documents of each part.

    Raises:
        SplitError: an id comes twice, the earlier split lacks a document, or has one that is not here.
    """
    _check_unique(documents)
    part_of: dict[str, str] = {}
    for part, identifiers in earlier.items():
        for identifier in identifiers:
            if identifier in part_of:
                raise SplitError(
                    f'document "{identifier}" is in the earlier split twice ({part_of[identifier]}, {part})'
                )
            part_of[identifier] = part
    for document in documents:
        if document.id not in part_of:
            raise SplitError(
                f'document "{document.id}" is not in the earlier split; it has to be of the same documents'
            )
    missing = part_of.keys() - {document.id for document in documents}
    for identifier, part in part_of.items():
        if identifier in missing:
            raise SplitError(f'document "{identifier}" of the earlier split ({part}) is not among the documents')
    return _in_parts(documents, earlier, part_of)


def _check_unique(documents: Sequence[Document]) -> None:
    if not documents:
        raise SplitError("there are no documents to split")
    (identifier, times), *_ = Counter(document.id for document in documents).most_common(1)
    if times > 1:
        raise SplitError(f'document "{identifier}" comes {times} times; ids must be unique')


def _sizes(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Documents for each part, ``train`` first."""
    sizes = {REST: total}
    for part, share in shares.items():
        if part == REST:
            raise SplitError(f"{REST} gets the documents that are left; give shares to the other parts only")
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise SplitError(f"the share of {part} is {share!r}; write a number")
        if not share >= 0:
            raise SplitError(f"the share of {part} is {share}; it cannot be negative")
        whole = share >= 1
        if whole and share != int(share):
            raise SplitError(
                f"the share of {part} is {share}; write a fraction below 1, or a whole number of documents"
            )
        sizes[part] = int(share) if whole else round(share * total)
        sizes[REST] -= sizes[part]
    for part, size in sizes.items():
        if size < 1:
            asked = ", ".join(f"{name}: {share}" for name, share in shares.items())
            raise SplitError(f"the part {part} would be empty: {total:,} documents with shares of {asked}")
    return sizes


def _shuffle_key(document: Document, seed: int) -> bytes:
    """A place in the shuffled order that depends on seed and id alone; a hash, since it is the same in every run."""
    return blake2b(f"{seed}\n{document.id}".encode()).digest()


def _group(documents: Sequence[Document]) -> Group:
    classes: Counter[str] = Counter()
    for document in documents:
        classes.update(document.labels())
    return Group(len(documents), classes)


def _in_parts(
    documents: Sequence[Document], names: Iterable[str], part_of: Mapping[str, str]
) -> dict[str, list[Document]]:
    parts: dict[str, list[Document]] = {name: [] for name in names}
    for document in documents:
        parts[part_of[document.id]].append(document)
    return parts
