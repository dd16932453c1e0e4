"""Documents dealt into folds, so that each can be judged by a model that has not seen it."""

from __future__ import annotations

from collections.abc import Sequence

from kazu_distill.documents import Document
from kazu_distill.splitting.parts import REST, SplitError, split_documents


def deal(documents: Sequence[Document], *, folds: int, seed: int) -> list[list[Document]]:
    """Deal documents into folds that are as large as each other, with every class spread as evenly as it can be.

    Documents of nearly the same text come into one fold. Folds depend on the documents and the seed, not on the order
    in which the documents come; within a fold they keep that order.

    Args:
        documents: with unique ids.
        folds: how many; at least two.
        seed: another seed gives other folds.

    Raises:
        SplitError: fewer documents, or different texts, than folds; fewer than two folds; or an id comes twice.
    """
    if folds < 2:
        raise SplitError(f"{folds} folds: at least two are needed, one to be judged by what is learnt from the others")
    if len(documents) < folds:
        raise SplitError(f"{len(documents):,} documents cannot be dealt into {folds} folds; ask for fewer folds")
    size, left = divmod(len(documents), folds)
    # The split's rest is the last fold, so the larger folds stand first.
    shares = {f"fold {number + 1}": size + (number < left) for number in range(folds - 1)}
    parts = split_documents(documents, shares=shares, seed=seed)
    return [*(parts[name] for name in shares), parts[REST]]
