"""What a form of question and answer is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kazu_distill.annotation.parsing.answer import ParsedAnswer
from kazu_distill.documents import Span
from kazu_distill.schema import Schema


class Style(Protocol):
    """A form of question and answer; its methods are pure.

    ``parse(render(text, spans, schema), text, schema)`` finds exactly the spans again, where the form can express them;
    a form that cannot says so where it is described, and ``render`` raises ``CannotExpress``.
    """

    @property
    def wanted(self) -> str:
        """What an LLM is to answer with, as it is told after an answer that is no use: "the whole list as JSON"."""

    def describe(self, schema: Schema) -> str:
        """The classes as the instructions explain them."""

    def answer_schema(self, schema: Schema) -> Mapping[str, Any]:
        """The JSON schema of an answer; empty where an answer is no JSON."""

    def output_ratio(self, share: float) -> tuple[float, float, float]:
        """Tokens of an answer for each of its text: what it hardly is below, what is expected, what it hardly exceeds.

        ``share`` is the share of the schema's classes that is asked about, 0 to 1.
        """

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """The answer that labels a text with spans, in order of appearance; spans of other classes are left out.

        Raises:
            CannotExpress: the form has no way to write one of the spans.
        """

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:
        """The mentions of an answer about a text.

        Raises:
            UnreadableAnswer: nothing of it can be read.
        """


class CannotExpress(ValueError):
    """Spans that a form of answer has no way to write; the message says which."""


def spans_of(spans: Sequence[Span], schema: Schema) -> list[Span]:
    """The spans whose class a schema has, in the order in which answers list them: by start, the longer one first.

    Where free types are asked for, that is every span: the classes are none of the LLM's business.
    """
    labels = {span.label for span in spans} if schema.ask_for == "types" else set(schema.labels)
    return sorted(
        (span for span in spans if span.label in labels), key=lambda span: (span.start, -span.end, span.label)
    )
