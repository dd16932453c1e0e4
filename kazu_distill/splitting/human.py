"""Documents that people have labelled, put in among those of an LLM to be learnt from together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section

_GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Combined:
    """How many documents there are now, how many of them people labelled (wholly or some sections), and how many of
    people's were left out since they, or their texts, are held out for evaluation."""

    documents: int
    human: int
    held_out: int


def combine(silver: Path, human: Path, *, held_out: Sequence[Path], into: Path, labels: Iterable[str]) -> Combined:
    """Write the documents of an LLM with those of people among them.

    A person's document takes the place of the LLM's of the same id; others come at the end. Of a document of which only
    some sections were reviewed, the other sections stay the LLM's. A document that is held out, by its id or by the
    text of a section, is left out. What people labelled has the score 1, which is full weight, and the source "gold":
    who they are is no business of the model card, which names sources.

    Args:
        silver: a JSONL file of documents.
        human: one of documents that people have labelled; they are held in memory.
        held_out: files of the documents that a model is selected or tested on; those that are not there are none.
        into: the file to write; it appears whole or not at all.
        labels: the classes that spans may have.

    Raises:
        CorpusError: a file cannot be read, or a class is unknown.
    """
    known = frozenset(labels)
    apart = [document for path in held_out if path.exists() for document in read_documents(path)]
    identifiers = {document.id for document in apart}
    texts = {_text_key(section) for document in apart for section in document.sections if section.text.strip()}
    kept: dict[str, Document] = {}
    left_out = 0
    for document in read_documents(human, labels=known):
        if document.id in identifiers or any(_text_key(section) in texts for section in document.sections):
            left_out += 1
        else:
            kept[document.id] = _sure(document)
    count = write_documents(into, with_human(read_documents(silver, labels=known), kept.values()))
    return Combined(documents=count, human=len(kept), held_out=left_out)


def with_human(silver: Iterable[Document], human: Iterable[Document]) -> Iterator[Document]:
    """The documents of an LLM in order, where people have labelled one their labels; then people's other documents."""
    remaining = {document.id: document for document in human}
    for document in silver:
        own = remaining.pop(document.id, None)
        yield _corrected(document, own) if own else document
    yield from remaining.values()


def _corrected(silver: Document, human: Document) -> Document:
    """A person's document; where its sections are only some of the LLM's, these in their places."""
    mine = list(human.sections)
    sections = []
    for section in silver.sections:
        reviewed = mine and mine[0].text == section.text
        sections.append(mine.pop(0) if reviewed else section)
    if mine or len(human.sections) == len(silver.sections):
        return human
    return replace(human, sections=tuple(sections))


def _sure(document: Document) -> Document:
    return document.with_spans(
        [tuple(replace(span, score=1.0, source=_GOLD) for span in section.spans) for section in document.sections]
    )


def _text_key(section: Section) -> bytes:
    return hashlib.sha256(section.text.encode(errors="surrogatepass")).digest()
