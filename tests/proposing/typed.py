"""Documents that are labelled with free types."""

from __future__ import annotations

from kazu_distill.documents import Document, Section, Span


def typed(*mentions: tuple[str, str], document_id: str = "1") -> Document:
    """A document that consists of mentions, each with its type."""
    spans, text = [], ""
    for mention, label in mentions:
        spans.append(Span(len(text), len(text) + len(mention), label, source="llm"))
        text += f"{mention}\n"
    return Document(document_id, (Section("", text, tuple(spans)),))
