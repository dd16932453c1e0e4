"""Documents, their sections and labelled spans: the values that every stage reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

VOTES, NOT_IN_TEXT, SUSPECTS = "votes", "not_in_text", "suspects"
"""What metadata says of a document's labels: each voter's spans, mentions that have no place, and what may be wrong."""


class InvalidDocument(ValueError):
    """A span or a record that breaks what a document promises; whoever reads a file adds where it stands."""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a section's text.

    ``start`` and ``end`` count Unicode code points, end exclusive: ``section.text[start:end]`` is the mention.
    ``score`` is the confidence of whoever made the span, 0 to 1; ``source`` names it (``gold``, an LLM, a run).
    """

    start: int
    end: int
    label: str
    score: float = 1.0
    source: str = ""

    @property
    def place(self) -> tuple[int, int, str]:
        """Start, end and class: what tells it from the other spans of its section."""
        return self.start, self.end, self.label


@dataclass(frozen=True, slots=True)
class Section:
    """A named stretch of a document with its spans; spans of several classes may coincide, nest or cross.

    Raises:
        InvalidDocument: a span is empty, ends after the text, has no label, or has a score outside 0 to 1.
    """

    name: str
    text: str
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        for number, span in enumerate(self.spans):
            problem = problem_of(span, self.text)
            if problem:
                raise InvalidDocument(f'span {number} ({span.start}–{span.end}, "{span.label}") {problem}')

    def mention(self, span: Span) -> str:
        """The text that a span covers."""
        return self.text[span.start : span.end]


@dataclass(frozen=True, slots=True)
class Document:
    """A document: an id that is unique in its corpus, sections in reading order, and what its source said of it."""

    id: str
    sections: tuple[Section, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spans(self) -> list[tuple[Section, Span]]:
        """Every span of the document with its section."""
        return [(section, span) for section in self.sections for span in section.spans]

    @property
    def places(self) -> set[tuple[int, int, int, str]]:
        """What tells its spans apart: the number of the section, from 0, then start, end and class."""
        return {(number, *span.place) for number, section in enumerate(self.sections) for span in section.spans}

    def labels(self) -> set[str]:
        """The classes that occur in the document."""
        return {span.label for section in self.sections for span in section.spans}

    def with_spans(self, spans: list[tuple[Span, ...]]) -> Document:
        """The same document with other spans, one tuple a section."""
        sections = [replace(section, spans=tuple(own)) for section, own in zip(self.sections, spans, strict=True)]
        return replace(self, sections=tuple(sections))

    def relabelled(self, spans: list[tuple[Span, ...]], about: Mapping[str, Any] | None = None) -> Document:
        """The same document with the spans of another labeller; what metadata said of the old labels goes.

        Args:
            spans: one tuple a section.
            about: what metadata is to say of the new ones.
        """
        kept = {key: value for key, value in self.metadata.items() if key not in (VOTES, NOT_IN_TEXT, SUSPECTS)}
        return replace(self.with_spans(spans), metadata={**kept, **(about or {})})

    def without_spans(self) -> Document:
        """The same document, unlabelled."""
        return self.with_spans([() for _ in self.sections])


def problem_of(span: Span, text: str) -> str | None:
    """What is wrong with a span of a text, as the end of a sentence; None where nothing is."""
    if span.start < 0:
        return "starts before the text"
    if span.end <= span.start:
        return "is empty"
    if span.end > len(text):
        return f"ends after the text ({len(text)} characters)"
    if not span.label:
        return "has no label"
    if not 0.0 <= span.score <= 1.0:
        return f"has the score {span.score}, which is not between 0 and 1"
    return None


def blocks_of(documents: Iterable[Document], *, characters: int) -> Iterator[list[Document]]:
    """Documents in order, in lists of at least so many characters; the last may have fewer."""
    block: list[Document] = []
    length = 0
    for document in documents:
        block.append(document)
        length += sum(len(section.text) for section in document.sections)
        if length >= characters:
            yield block
            block, length = [], 0
    if block:
        yield block
