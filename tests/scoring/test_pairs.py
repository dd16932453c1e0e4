"""Gold and predictions are of the same documents and texts, or there is no score."""

from __future__ import annotations

import pytest

from kazu_distill.documents import Document, Section
from kazu_distill.scoring.pairs import ScoringError, paired


def document(identifier: str, *texts: str) -> Document:
    return Document(identifier, tuple(Section("part", text) for text in texts))


def test_documents_are_paired_by_id_in_the_order_of_gold() -> None:
    gold, predicted = [document("a", "x"), document("b")], [document("b"), document("a", "x")]
    assert paired(gold, predicted) == [(gold[0], predicted[1]), (gold[1], predicted[0])]


@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        ([document("a"), document("b")], [document("a")], 'document "b" has no prediction'),
        ([document("a")], [document("a"), document("c")], 'document "c" is predicted, but is not among the gold'),
        ([document("a"), document("a")], [document("a")], 'document "a" comes twice among the gold'),
        ([document("a")], [document("a"), document("a")], 'document "a" comes twice among the predicted'),
        ([document("a", "x")], [document("a", "x", "y")], 'document "a" has 1 sections in gold and 2 predicted'),
        (
            [document("a", "x", "y")],
            [document("a", "x", "z")],
            r'document "a", section 1 \("part"\): the predicted text',
        ),
    ],
)
def test_what_cannot_be_compared_is_an_error_that_names_the_document(
    gold: list[Document], predicted: list[Document], reason: str
) -> None:
    with pytest.raises(ScoringError, match=reason):
        paired(gold, predicted)
