from __future__ import annotations

from kazu_distill.documents import Document
from kazu_distill.label_studio.sample import sample

DOCUMENTS = [Document(f"PMID:{number}", ()) for number in range(200)]


def test_the_same_documents_are_chosen_in_whatever_order_they_come() -> None:
    chosen = sample(DOCUMENTS, size=20, seed=1)
    assert len(chosen) == 20
    assert sample(DOCUMENTS[::-1], size=20, seed=1) == chosen[::-1]


def test_documents_keep_their_order() -> None:
    chosen = sample(DOCUMENTS, size=50, seed=1)
    assert chosen == [document for document in DOCUMENTS if document in chosen]


def test_another_seed_chooses_others() -> None:
    assert sample(DOCUMENTS, size=20, seed=1) != sample(DOCUMENTS, size=20, seed=2)


def test_few_documents_are_all_chosen() -> None:
    assert sample(DOCUMENTS, size=1000, seed=1) == DOCUMENTS


def test_a_larger_sample_holds_the_smaller_one() -> None:
    smaller, larger = sample(DOCUMENTS, size=10, seed=1), sample(DOCUMENTS, size=40, seed=1)
    assert {document.id for document in smaller} <= {document.id for document in larger}
