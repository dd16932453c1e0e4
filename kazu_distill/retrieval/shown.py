"""What is shown with a question, and who says what that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kazu_distill.documents import Document, Span


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text; the spans, which may be none, count in ``text``."""

    text: str
    spans: tuple[Span, ...]
    document_id: str

    def labels(self) -> set[str]:
        """The classes that occur in it."""
        return {span.label for span in self.spans}


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that is read and not labelled; ``source`` names the file that it stands in."""

    text: str
    source: str


class Examples(Protocol):
    """Chooses the examples for a text."""

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples to show with a text of a document, the one that is most like it last; there may be none.

        The same text of the same document always gets the same ones. May be called from several threads.
        """
        ...


class Knowledge(Protocol):
    """Chooses the background for a text."""

    def passages(self, text: str, document: Document) -> tuple[Passage, ...]:
        """The passages to show with a text of a document, the one that is most like it last; there may be none.

        The same text of the same document always gets the same ones. May be called from several threads.
        """
        ...
