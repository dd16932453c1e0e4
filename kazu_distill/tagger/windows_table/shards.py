"""Documents of a stretch of a file as an Arrow file: a window a row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kazu_distill.document_files import document_of_line, lines_with_content
from kazu_distill.documents import Document, Section, blocks_of
from kazu_distill.errors import CorpusError
from kazu_distill.tagger.alignment import AlignmentCounts, align
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.windows import Windower
from kazu_distill.tagger.windows_table.stretches import Stretch

_LISTS = {
    "input_ids": pa.int32(),
    "positions": pa.int32(),  # of the words' first tokens
    "tag_words": pa.int32(),  # the labels, sparse: word of the window,
    "tag_ids": pa.int32(),  # its tag,
    "tag_scores": pa.float32(),  # and the target
}
_SCHEMA = pa.schema([(name, pa.list_(kind)) for name, kind in _LISTS.items()] + [("length", pa.int32())])  # tokens
_BATCH = 200_000  # characters that are tokenized together; a character takes some 100 bytes meanwhile


@dataclass(frozen=True, slots=True)
class Shard:
    """What a stretch has given: its documents' ids with their lines, and how spans became labels.

    ``error`` is what ended it before its time.
    """

    ids: list[tuple[str, int]]
    alignment: AlignmentCounts
    error: CorpusError | None


def write_shard(path: Path, stretch: Stretch, *, windower: Windower, scheme: LabelScheme) -> Shard:
    """Write the windows of a stretch's documents as an Arrow stream.

    An error of the documents is given back and not raised, since a document before it may be one that came before.
    """
    ids: list[tuple[str, int]] = []
    alignment = AlignmentCounts()
    error: CorpusError | None = None
    with path.open("wb") as file:
        with pa.ipc.new_stream(file, _SCHEMA) as writer:
            try:
                documents = _documents(stretch, frozenset(scheme.labels), ids)
                for block in blocks_of(documents, characters=_BATCH):
                    sections = [section for document in block for section in document.sections]
                    batch, counts = _record_batch(sections, windower, scheme)
                    writer.write_batch(batch)
                    alignment += counts
            except CorpusError as broken:
                error = broken
        file.flush()
        os.fsync(file.fileno())
    return Shard(ids, alignment, error)


def _documents(stretch: Stretch, allowed: frozenset[str], ids: list[tuple[str, int]]) -> Iterator[Document]:
    """The documents; the id and line of each is noted."""
    for number, line in lines_with_content(stretch.lines()):
        document = document_of_line(line, f"{stretch.file}:{number}", allowed)
        ids.append((document.id, number))
        yield document


def _record_batch(
    sections: Sequence[Section], windower: Windower, scheme: LabelScheme
) -> tuple[pa.RecordBatch, AlignmentCounts]:
    classes = {label: number for number, label in enumerate(scheme.labels)}
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _LISTS}
    alignment = AlignmentCounts()
    for section, text in zip(sections, windower.tokenize([section.text for section in sections]), strict=True):
        aligned, counts = align(section.spans, text.words, classes)
        alignment += counts
        tags = scheme.tag(aligned)
        for window in windower.windows(text):
            own = slice(*tags.words.searchsorted([window.first_word, window.last_word]))
            columns["input_ids"].append(windower.input_ids(text, window))
            columns["positions"].append(windower.positions(text, window))
            columns["tag_words"].append(tags.words[own] - np.int32(window.first_word))
            columns["tag_ids"].append(tags.tags[own])
            columns["tag_scores"].append(tags.scores[own])
    lengths = np.array([len(row) for row in columns["input_ids"]], dtype=np.int32)
    lists = [_list_array(rows, _LISTS[name]) for name, rows in columns.items()]
    return pa.RecordBatch.from_arrays([*lists, pa.array(lengths)], schema=_SCHEMA), alignment


def _list_array(rows: Sequence[NDArray[Any]], kind: pa.DataType) -> pa.ListArray:
    borders = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum([len(row) for row in rows], out=borders[1:])
    return pa.ListArray.from_arrays(pa.array(borders), pa.array(np.concatenate(rows) if rows else [], kind))
