"""What a question shows beside its text, and who chooses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kazu_distill.documents import Document, Span


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels, which may be none, and the document that it is from; spans have offsets into the text."""

    text: str
    spans: tuple[Span, ...]
    document_id: str

    def labels(self) -> set[str]:
        """The classes that occur in it."""
        return {span.label for span in self.spans}


class Examples(Protocol):
    """Chooses examples. May be asked from several threads."""

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples to show before a text, a part of a document, in the order in which they are shown.

        They are the same whenever the text comes, as the key of a stored answer depends on them.
        """


class Knowledge(Protocol):
    """Chooses passages. May be asked from several threads."""

    def passages(self, text: str, document: Document) -> tuple[str, ...]:
        """What to know when one reads a text, a part of a document; the same whenever the text comes."""
