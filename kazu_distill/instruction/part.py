"""One part of the documents, such as train, into counts and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.documents import Document
from kazu_distill.errors import CorpusError
from kazu_distill.instruction.counting import TOO_LONG, PartCounts, RecordLength
from kazu_distill.instruction.making import LeftOut, RecordMaker, spans_cut
from kazu_distill.instruction.records import Record
from kazu_distill.instruction.writing import RecordFiles

TRAIN = "train"
"""The part that a model learns: it alone has noise and a choice of negatives."""


def measured_on(parts: Mapping[str, Iterable[Document]]) -> dict[str, str]:
    """The id of each document that a model does not learn but is measured on, and its part.

    Raises:
        CorpusError: a document is in two of these parts.
    """
    part_of: dict[str, str] = {}
    for part, documents in parts.items():
        for document in documents if part != TRAIN else ():
            if document.id in part_of:
                raise CorpusError(_in_two_parts(document, part_of[document.id], part))
            part_of[document.id] = part
    return part_of


class PartMaker:
    """Makes records of parts, in one pass over each and in memory for a document.

    Args:
        maker: makes the records.
        chunker: the maker's.
        length: the tokens of a record.
        max_tokens: longer records are left out; None leaves out none.
        files: where they are written; None only counts.
        measured: ids of the documents that a model is measured on, with their part.
    """

    def __init__(
        self,
        *,
        maker: RecordMaker,
        chunker: Chunker,
        length: RecordLength,
        max_tokens: int | None,
        files: RecordFiles | None,
        measured: Mapping[str, str],
    ) -> None:
        self._maker = maker
        self._chunker = chunker
        self._length = length
        self._max_tokens = max_tokens
        self._files = files
        self._measured = measured

    def make(self, part: str, documents: Iterable[Document]) -> PartCounts:
        """Make the records of a part.

        Raises:
            CorpusError: a document is in another part, too.
        """
        counts = PartCounts()
        if self._files:
            self._files.begin(part)
        for document in documents:
            other = self._measured.get(document.id, part)
            if other != part:
                raise CorpusError(_in_two_parts(document, part, other))
            places = sum(len({span.place for span in section.spans}) for section in document.sections)
            counts.documents += 1
            counts.spans += places
            counts.without_spans += not places
            counts.cut += spans_cut(document, self._chunker) if places else 0
            self._make(part, document, counts)
        return counts

    def _make(self, part: str, document: Document, counts: PartCounts) -> None:
        for asked, made, back in self._maker.records(document, training=part == TRAIN):
            record: Record | None = None
            why: str | LeftOut = TOO_LONG
            if isinstance(made, LeftOut):
                why = made
            else:
                tokens = self._length(made)
                if self._max_tokens is None or tokens <= self._max_tokens:
                    record = made
                    counts.add(made, back, tokens)
            if record is None:
                counts.leave_out(asked, why)
            if self._files:
                self._files.add(part, asked, record, left_out="" if record else str(why))


def _in_two_parts(document: Document, one: str, other: str) -> str:
    return (
        f'document "{document.id}" is in two parts, {one} and {other}, so that a model would be measured on what it '
        "has learnt; split the documents again (python -m kazu_distill.split)"
    )
