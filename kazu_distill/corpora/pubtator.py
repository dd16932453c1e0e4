"""PubTator: a title and an abstract, then a line for each annotation.

The format is described with the BioCreative V CDR corpus (Li et al. 2016, doi:10.1093/database/baw068)::

    10192393|t|A common human skin tumour …
    10192393|a|WNT signalling orchestrates …
    10192393<tab>15<tab>26<tab>skin tumour<tab>DiseaseClass<tab>D012878
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kazu_distill.corpora.mentions import check_mention
from kazu_distill.corpora.records import Record, attempt
from kazu_distill.document_files import read_lines
from kazu_distill.documents import Document, InvalidDocument, Section, Span
from kazu_distill.errors import CorpusError

_ID = re.compile(rb"([^|\t]+)(\|t\|)?")
_PASSAGE = re.compile(r"[^|\t]+\|([ta])\|(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Line:
    """``where`` is file and line number; ``content`` ends before the line's end."""

    where: str
    content: bytes


def read_pubtator(path: Path) -> Iterator[Record | CorpusError]:
    """Documents with the sections "title" and "abstract", offsets counted within each.

    In the file offsets run through title and abstract, with one character between them. A document ends where another
    id, or another title, begins; blank lines are not needed, nor harmful. Concept ids and relation lines are passed
    over; classes are as they are (``CompositeMention``).

    Args:
        path: a file, or a folder of ``*.txt`` and ``*.pubtator``.
    """
    for identifier, lines in _blocks(path):
        yield attempt(_record, identifier, lines)


def _blocks(path: Path) -> Iterator[tuple[bytes, list[_Line]]]:
    current, block = b"", list[_Line]()
    for file, number, content in read_lines(path, suffix=(".txt", ".pubtator")):
        match = _ID.match(content)
        identifier = match[1] if match else current
        begins = identifier != current or bool(match and match[2])
        if begins and block:
            yield current, block
            block = []
        current = identifier
        block.append(_Line(f"{file}:{number}", content.rstrip(b"\r\n")))
    if block:
        yield current, block


def _record(raw_identifier: bytes, lines: list[_Line]) -> Record:
    identifier = raw_identifier.decode("utf-8", errors="replace").strip()
    passages: dict[str, str] = {}
    spans: dict[str, list[Span]] = {"t": [], "a": []}
    for line in lines:
        try:
            content = line.content.decode("utf-8")
            passage = _PASSAGE.fullmatch(content)
            if passage:
                _add_passage(passages, *passage.groups())
            elif not _is_relation(content):
                where, span = _span(content, passages)
                spans[where].append(span)
        except UnicodeDecodeError as error:
            raise CorpusError(f'{line.where}: document "{identifier}": not UTF-8 at byte {error.start}') from error
        except InvalidDocument as error:
            raise CorpusError(f'{line.where}: document "{identifier}": {error}') from error
    if "t" not in passages:
        raise CorpusError(f'{lines[0].where}: document "{identifier}" has no title line ("{identifier}|t|…")')
    names = {"t": "title", "a": "abstract"}
    sections = tuple(Section(names[key], text, tuple(spans[key])) for key, text in passages.items())
    return Record(lines[0].where, Document(identifier, sections))


def _add_passage(passages: dict[str, str], key: str, text: str) -> None:
    if key in passages or (key == "a" and "t" not in passages):
        raise InvalidDocument("a document is a line |t|, then a line |a|, once each")
    passages[key] = text


def _is_relation(content: str) -> bool:
    """Whether a line has the four columns of a relation, ``id, kind, concept, concept``."""
    columns = content.split("\t")
    return len(columns) == 4 and not columns[1].isdecimal()


def _span(content: str, passages: dict[str, str]) -> tuple[str, Span]:
    columns = content.split("\t")
    if len(columns) < 5 or not (columns[1].isdecimal() and columns[2].isdecimal()):
        raise InvalidDocument("neither a title, an abstract nor an annotation (id, start, end, mention, class)")
    start, end, written, label = int(columns[1]), int(columns[2]), columns[3], columns[4].strip()
    title = passages.get("t", "")
    check_mention([(start, end)], label, written, " ".join(passages.values()))
    if end <= len(title):
        return "t", Span(start, end, label, source="gold")
    base = len(title) + 1
    if start < base:
        raise InvalidDocument(f'({start}–{end}, "{label}") crosses the border of title and abstract ({len(title)})')
    return "a", Span(start - base, end - base, label, source="gold")
