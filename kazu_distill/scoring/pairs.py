"""Gold and predicted documents brought together, with nothing left over on either side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from kazu_distill.documents import Document
from kazu_distill.errors import KazuDistillError

Pair: TypeAlias = tuple[Document, Document]
"""A gold document and the predicted one of the same id and text."""


class ScoringError(KazuDistillError):
    """Gold and predictions cannot be compared; the message names the document."""


def paired(gold: Iterable[Document], predicted: Iterable[Document]) -> list[Pair]:
    """Pairs of documents, in the order of the gold ones.

    A document that only one side has is an error and not left out: a score over what happens to be there on both sides
    looks better than the model is.

    Raises:
        ScoringError: an id comes twice or on one side only, or a pair's sections differ in number or text.
    """
    gold_by_id, predicted_by_id = _by_id(gold, "gold"), _by_id(predicted, "predicted")
    for identifier in gold_by_id:
        if identifier not in predicted_by_id:
            raise ScoringError(
                f'document "{identifier}" has no prediction; predict the same documents and score again, '
                "or score those alone that the predicted file has: only=FILE (what an LLM failed on is in failed.jsonl)"
            )
    for identifier in predicted_by_id:
        if identifier not in gold_by_id:
            raise ScoringError(f'document "{identifier}" is predicted, but is not among the gold documents')
    pairs = [(document, predicted_by_id[identifier]) for identifier, document in gold_by_id.items()]
    for pair in pairs:
        _check_text(*pair)
    return pairs


def _by_id(documents: Iterable[Document], side: str) -> dict[str, Document]:
    by_id: dict[str, Document] = {}
    for document in documents:
        if document.id in by_id:
            raise ScoringError(f'document "{document.id}" comes twice among the {side} documents')
        by_id[document.id] = document
    return by_id


def _check_text(gold: Document, predicted: Document) -> None:
    if len(gold.sections) != len(predicted.sections):
        raise ScoringError(
            f'document "{gold.id}" has {len(gold.sections)} sections in gold and {len(predicted.sections)} predicted'
        )
    for number, (one, other) in enumerate(zip(gold.sections, predicted.sections, strict=True)):
        if one.text != other.text:
            raise ScoringError(
                f'document "{gold.id}", section {number} ("{one.name}"): the predicted text is not the gold one, so '
                "offsets cannot be compared; predict the documents as they are in gold"
            )
