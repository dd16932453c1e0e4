"""What a split looks like: documents and spans of each class in each part, and what one part gives away of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kazu_distill.documents import Document
from kazu_distill.splitting.duplicates import folded_text
from kazu_distill.splitting.parts import REST


def summarise(parts: Mapping[str, Sequence[Document]]) -> dict[str, Any]:
    """Plain values that can be printed and saved.

    Returns:
        ``parts``: for each part ``documents`` and ``spans`` (counts), ``documents_by_class`` and ``spans_by_class``,
        every class of the split in each, by name. ``leakage``: ``shared_texts``, the number of texts that stand in more
        than one part (without case, space folded; a sound split has 0), and ``mentions_seen_in_train``, for each other
        part the share of its different mentions (class and text without case) that occur in ``train`` too; None
        for a part without mentions.
    """
    labels = sorted({label for documents in parts.values() for document in documents for label in document.labels()})
    mentions = {part: _mentions(documents) for part, documents in parts.items()}
    seen = mentions.get(REST, set())
    return {
        "parts": {part: _counts(documents, labels) for part, documents in parts.items()},
        "leakage": {
            "shared_texts": _shared_texts(parts),
            "mentions_seen_in_train": {
                part: len(own & seen) / len(own) if own else None for part, own in mentions.items() if part != REST
            },
        },
    }


def _counts(documents: Sequence[Document], labels: Sequence[str]) -> dict[str, Any]:
    with_label = Counter(label for document in documents for label in document.labels())
    spans = Counter(span.label for document in documents for _, span in document.spans)
    return {
        "documents": len(documents),
        "spans": spans.total(),
        "documents_by_class": {label: with_label[label] for label in labels},
        "spans_by_class": {label: spans[label] for label in labels},
    }


def _mentions(documents: Sequence[Document]) -> set[tuple[str, str]]:
    return {
        (span.label, " ".join(section.mention(span).casefold().split()))
        for document in documents
        for section, span in document.spans
    }


def _shared_texts(parts: Mapping[str, Sequence[Document]]) -> int:
    parts_with = Counter(text for documents in parts.values() for text in {folded_text(each) for each in documents})
    return sum(count > 1 for text, count in parts_with.items() if text)
