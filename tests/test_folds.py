"""Folds are seeded, of like size, and keep near-duplicates together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document
from kazu_distill.splitting.folds import deal
from kazu_distill.splitting.parts import SplitError
from tests.test_splitting import document, labelled

LONG = " ".join(f"word{number}" for number in range(200))


def ids(folds: list[list[Document]]) -> list[set[str]]:
    return [{each.id for each in fold} for fold in folds]


@given(labelled, st.integers(2, 10), st.integers(0, 5), st.randoms())
def test_every_document_is_in_one_fold_whatever_the_order(
    documents: list[Document], folds: int, seed: int, chance: random.Random
) -> None:
    dealt = deal(documents, folds=folds, seed=seed)
    assert sorted(each.id for fold in dealt for each in fold) == sorted(each.id for each in documents)
    sizes = [len(fold) for fold in dealt]
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == folds
    shuffled = documents.copy()
    chance.shuffle(shuffled)
    assert ids(deal(shuffled, folds=folds, seed=seed)) == ids(dealt)


def test_another_seed_gives_other_folds() -> None:
    documents = [document(str(number)) for number in range(30)]
    assert len({str(ids(deal(documents, folds=3, seed=seed))) for seed in range(5)}) == 5


def test_near_duplicates_come_into_one_fold() -> None:
    documents = [document(str(number)) for number in range(20)]
    copies = [document(f"copy {number}", text=f"{LONG} {number}") for number in range(4)]
    for seed in range(5):
        folds = ids(deal([*documents, *copies], folds=4, seed=seed))
        assert sum(any(each.startswith("copy") for each in fold) for fold in folds) == 1


def test_what_cannot_be_dealt() -> None:
    documents = [document(str(number)) for number in range(3)]
    with pytest.raises(SplitError, match="3 documents cannot be dealt into 4 folds"):
        deal(documents, folds=4, seed=1)
    with pytest.raises(SplitError, match="at least two"):
        deal(documents, folds=1, seed=1)
    with pytest.raises(SplitError, match='"0" comes 2 times'):
        deal([*documents, documents[0]], folds=2, seed=1)
    with pytest.raises(SplitError, match="only 1 different texts"):
        deal([document(str(number), text="the same") for number in range(4)], folds=2, seed=1)
