"""brat stand-off: ``x.txt`` holds the text, ``x.ann`` (or ``x.a1`` and ``x.a2``) the annotations.

The format is described at https://brat.nlplab.org/standoff.html. Text-bound annotations (lines that begin with T) are
read; relations, events, attributes, normalisations and notes are not entities and are passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from kazu_distill.corpora.mentions import check_mention, check_policy, one_stretch
from kazu_distill.corpora.records import Record, attempt
from kazu_distill.corpora.text import decoded_file, document_id
from kazu_distill.document_files import files_of
from kazu_distill.documents import Document, InvalidDocument, Section, Span
from kazu_distill.errors import CorpusError

_OFFSETS = re.compile(r"\d+ \d+(;\d+ \d+)*")


def read_brat(
    path: Path,
    *,
    discontinuous: str = "envelope",
    annotation_suffixes: Sequence[str] = (".ann", ".a1", ".a2"),
) -> Iterator[Record | CorpusError]:
    """A document of one section, "text", for each text file with its annotation files.

    Offsets count every character of the text file, line ends and a byte order mark included, as brat itself does.

    Args:
        path: a ``.txt`` file, or a folder of them.
        discontinuous: what becomes of a mention in pieces: ``envelope`` (from the first to the last), ``first`` or
            ``drop``. Counted either way.
        annotation_suffixes: the annotation files that are read beside each text. In BioNLP shared tasks ``.a1``
            holds the entities and ``.a2`` the event triggers; leave ``.a2`` out to read entities only.
    """
    check_policy(discontinuous)
    for stem, files in _by_document(path, tuple(annotation_suffixes)).items():
        yield attempt(_record, files, document_id(stem, path), discontinuous)


def _by_document(path: Path, suffixes: tuple[str, ...]) -> dict[Path, list[Path]]:
    """The files of each document, by the path of its text file."""
    if path.is_file():
        beside = (path.with_suffix(suffix) for suffix in suffixes)
        return {path: [path, *(file for file in beside if file.is_file())]}
    documents: dict[Path, list[Path]] = {}
    for file in files_of(path, suffix=(".txt", *suffixes)):
        documents.setdefault(file.with_suffix(".txt"), []).append(file)
    return documents


def _record(files: list[Path], identifier: str, policy: str) -> Record:
    text_files = [file for file in files if file.suffix.lower() == ".txt"]
    annotation_files = [file for file in files if file not in text_files]
    if not text_files:
        raise CorpusError(f'{files[0]}: document "{identifier}": there is no .txt file beside it')
    adjusted: Counter[str] = Counter()
    if not annotation_files:
        adjusted["texts without an annotation file, taken to have no entities"] += 1
    text = decoded_file(text_files[0])
    spans = [span for file in annotation_files for span in _spans(file, identifier, text, policy, adjusted)]
    return Record(str(text_files[0]), Document(identifier, (Section("text", text, tuple(spans)),)), adjusted)


def _spans(file: Path, identifier: str, text: str, policy: str, adjusted: Counter[str]) -> Iterator[Span]:
    # Not splitlines(): a mention may hold a character that it takes for a line's end, such as U+2028.
    for number, line in enumerate(decoded_file(file).split("\n"), start=1):
        if not line.startswith("T"):
            continue
        try:
            label, pieces, written = _parse(line.rstrip("\r"))
            check_mention(pieces, label, written, text)
        except InvalidDocument as error:
            name = line.split("\t")[0]
            raise CorpusError(f'{file}:{number}: document "{identifier}": annotation {name} {error}') from error
        stretch = one_stretch(pieces, policy=policy, adjusted=adjusted)
        if stretch is not None:
            yield Span(*stretch, label, source="gold")


def _parse(line: str) -> tuple[str, list[tuple[int, int]], str]:
    columns = line.split("\t", 2)
    if len(columns) < 3:
        raise InvalidDocument("must have three columns, separated by tabs: name, class with offsets, mention")
    label, _, offsets = columns[1].partition(" ")
    if not _OFFSETS.fullmatch(offsets):
        raise InvalidDocument(f'has the offsets "{offsets}", not "start end" or "start end;start end"')
    pieces = [piece.split(" ") for piece in offsets.split(";")]
    return label, [(int(start), int(end)) for start, end in pieces], columns[2]
