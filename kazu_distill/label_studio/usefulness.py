"""How much a person's look at each document is worth: what a reviewer should see first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kazu_distill.documents import SUSPECTS, Document
from kazu_distill.errors import KazuDistillError

Worth = Mapping[str, float]
"""By document id, how much a look at it is worth; the more the sooner."""


class Unrankable(KazuDistillError):
    """A document lacks what it would be ranked by."""


def ranked(documents: Iterable[Document], worth: Worth) -> list[Document]:
    """Documents, those that are worth most first; equal ones stay in their order."""
    return sorted(documents, key=lambda document: -worth[document.id])


def by_uncertainty(documents: Iterable[Document]) -> dict[str, float]:
    """How many decisions of a model were close.

    Each span counts 1 − |2p − 1| of its score p: 1 at an even chance, 0 where the model is sure. They are added up, so
    a document with much to decide comes before one with little.
    """
    return {document.id: sum(1.0 - abs(2.0 * span.score - 1.0) for _, span in document.spans) for document in documents}


def by_disagreement(documents: Iterable[Document], others: Iterable[Document]) -> dict[str, float]:
    """How much two labellings differ, such as a student's and an LLM's.

    Each span that only one of them has (section, edges and class) counts its score: a model that is sure of what the
    other does not see weighs most. A document that the others lack is worth nothing.

    Raises:
        Unrankable: a document has another text there.
    """
    known = {document.id: document for document in others}
    worth = {}
    for document in documents:
        other = known.get(document.id)
        worth[document.id] = _difference(document, other) if other else 0.0
    return worth


def by_rare_classes(documents: Sequence[Document]) -> dict[str, float]:
    """How much a document holds of what there is little of: each span counts one over the spans of its class."""
    frequency = Counter(span.label for document in documents for _, span in document.spans)
    return {document.id: sum(1.0 / frequency[span.label] for _, span in document.spans) for document in documents}


def by_suspects(documents: Iterable[Document]) -> dict[str, float]:
    """How much is suspected to be wrong: the score that ``kazu_distill.suspects`` left in the document's metadata.

    Raises:
        Unrankable: a document has none.
    """
    worth = {}
    for document in documents:
        suspects = document.metadata.get(SUSPECTS)
        score = suspects.get("score") if isinstance(suspects, Mapping) else None
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise Unrankable(
                f'document "{document.id}" has no metadata.suspects.score to be ranked by; give the documents that '
                "kazu_distill.suspects wrote (documents.path=…)"
            )
        worth[document.id] = float(score)
    return worth


def _difference(document: Document, other: Document) -> float:
    if [section.text for section in document.sections] != [section.text for section in other.sections]:
        raise Unrankable(
            f'document "{document.id}" has another text in the documents that it is compared with; give two labellings '
            "of the same documents"
        )
    first, second = _scores(document), _scores(other)
    return sum(first[place] for place in first.keys() - second) + sum(second[place] for place in second.keys() - first)


def _scores(document: Document) -> dict[tuple[int, int, int, str], float]:
    return {
        (number, *span.place): span.score for number, section in enumerate(document.sections) for span in section.spans
    }
