"""The entities of many documents as arrays, so that millions of them are counted in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document
from kazu_distill.scoring.pairs import ScoringError


@dataclass(frozen=True, slots=True)
class Entities:
    """Different entities, a row each, in the order of section, start, end and class; all arrays ``(entities,)``.

    Args:
        documents: position of the document.
        sections: number of the section, counted over all documents.
        starts: first character.
        ends: behind the last character.
        labels: position of the class in the schema.
        scores: 0 to 1.
    """

    documents: NDArray[np.int64]
    sections: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.starts)

    def rows(self, chosen: NDArray[np.int64]) -> Entities:
        """Some of them, in that order."""
        return Entities(
            documents=self.documents[chosen],
            sections=self.sections[chosen],
            starts=self.starts[chosen],
            ends=self.ends[chosen],
            labels=self.labels[chosen],
            scores=self.scores[chosen],
        )


def entities_of(documents: Sequence[Document], labels: Sequence[str]) -> Entities:
    """The entities of documents; one that a section has twice (same place and class) counts once, with its best score.

    Raises:
        ScoringError: a span has a class that is not in ``labels``; the message names the document.
    """
    classes = {label: number for number, label in enumerate(labels)}
    sections = [section for document in documents for section in document.sections]
    spans = [span for section in sections for span in section.spans]
    try:
        label = np.fromiter((classes[span.label] for span in spans), np.int64, len(spans))
    except KeyError:
        raise _unknown_class(documents, labels) from None
    start = np.fromiter((span.start for span in spans), np.int64, len(spans))
    end = np.fromiter((span.end for span in spans), np.int64, len(spans))
    score = np.fromiter((span.score for span in spans), np.float32, len(spans))
    section = np.repeat(np.arange(len(sections)), [len(each.spans) for each in sections])
    document = np.repeat(np.arange(len(documents)), [len(each.sections) for each in documents])[section]
    order = np.lexsort((-score, label, end, start, section))
    places = [each[order] for each in (section, start, end, label)]
    first = np.ones(len(spans), dtype=bool)
    first[1:] = np.any([each[1:] != each[:-1] for each in places], axis=0)
    return Entities(document, section, start, end, label, score).rows(order[first])


def _unknown_class(documents: Sequence[Document], labels: Sequence[str]) -> ScoringError:
    document, unknown = next(
        (each, each.labels().difference(labels)) for each in documents if each.labels() - {*labels}
    )
    return ScoringError(
        f'document "{document.id}" has a span of the class "{min(unknown)}", which is not in the schema '
        f"({', '.join(labels)})"
    )
