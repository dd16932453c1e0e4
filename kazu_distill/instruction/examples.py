"""Examples as records show them: under the record's names, and never out of a document that is measured on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from kazu_distill.documents import Document
from kazu_distill.retrieval.shown import Example, Examples


class OutsideExamples:
    """Examples of other documents than the one asked about and those that are held out, by id.

    That near-duplicates are not shown either is what who chooses sees to; this is what holds whoever chooses.

    Args:
        chosen: who chooses.
        not_from: ids of the documents that a model is measured on.
    """

    def __init__(self, chosen: Examples, *, not_from: Collection[str]) -> None:
        self._chosen = chosen
        self._not_from = not_from
        self._last: tuple[str, str, tuple[Example, ...]] | None = None

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples to show before a text; the questions about one text, one after another, get the same ones."""
        if self._last is None or self._last[:2] != (text, document.id):
            given = self._chosen.select(text, document)
            kept = tuple(
                example
                for example in given
                if example.document_id != document.id and example.document_id not in self._not_from
            )
            self._last = text, document.id, kept
        return self._last[2]


class RenamedExamples:
    """Examples whose classes have other names; those of classes without a name are left out of the answer.

    Args:
        chosen: who chooses.
        names: the name for each class.
    """

    def __init__(self, chosen: Examples, names: Mapping[str, str]) -> None:
        self._chosen = chosen
        self._names = names

    def select(self, text: str, document: Document) -> tuple[Example, ...]:
        """The examples to show before a text."""
        return tuple(
            replace(
                example,
                spans=tuple(
                    replace(span, label=self._names[span.label]) for span in example.spans if span.label in self._names
                ),
            )
            for example in self._chosen.select(text, document)
        )
