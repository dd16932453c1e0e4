"""The labelled documents that examples are taken from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.documents import Document, Section
from kazu_distill.errors import ConfigError
from kazu_distill.retrieval.leaks import HeldOut, Leak
from kazu_distill.retrieval.pieces import Chunker, Pieces, Whole
from kazu_distill.retrieval.shown import Example
from kazu_distill.schema import Schema
from kazu_distill.shingles import folded


@dataclass(frozen=True, slots=True)
class Pool:
    """The examples there are, each a piece of a document, and what was left out or changed on the way to them."""

    examples: Sequence[Example]
    pieces: Pieces
    counts: Counter[str]

    def only(self, kept: Iterable[int]) -> Pool:
        """The pool with some of its examples."""
        positions = list(kept)
        return Pool([self.examples[position] for position in positions], self.pieces.only(positions), self.counts)


def read_pool(
    paths: Sequence[Path], *, schema: Schema, chunker: Chunker, min_score: float, not_from: Sequence[Path]
) -> Pool:
    """Read labelled documents and cut them into examples.

    Of documents with one id the first counts, so that human labels come before others if their file does. A chunk with
    a span whose score is too low is left out whole: without that span it would teach the LLM to overlook it. A text
    that comes again is left out. Spans that a chunk's border cuts, and those of classes that the schema has not, are
    left out of the example.

    Args:
        paths: files or folders of JSONL.
        schema: the classes to be shown.
        chunker: cuts the documents.
        min_score: of a span, 0 to 1.
        not_from: documents that a run is measured on; neither they nor what has their text is an example.

    Raises:
        CorpusError: a file is not there, or a record is broken.
        ConfigError: there is nothing to be shown.
    """
    counts: Counter[str] = Counter()
    examples: list[Example] = []
    owners: list[int] = []
    wholes: list[Whole] = []
    seen: set[str] = set()
    for document in _documents(paths, counts):
        wholes.append(Whole(document.id, tuple(section.text for section in document.sections)))
        for section in document.sections:
            for example in _examples_of(section, document.id, schema, chunker, min_score, counts):
                text = folded([example.text])
                if text in seen:
                    counts["repeated_texts"] += 1
                    continue
                seen.add(text)
                examples.append(example)
                owners.append(len(wholes) - 1)
    pool = Pool(examples, Pieces([example.text for example in examples], owners, wholes), counts)
    _check(pool, paths, schema)
    return without(pool, not_from)


def without(pool: Pool, not_from: Sequence[Path]) -> Pool:
    """The pool without the documents of some files, and without what has their text.

    Raises:
        CorpusError: a file is not there, or a record is broken.
        ConfigError: nothing is left.
    """
    if not not_from:
        return pool
    leaks = HeldOut.read(not_from).leaks(pool.pieces)
    pool.counts[Leak.EVALUATION] = sum(leaks)
    if all(leaks):
        files = ", ".join(map(str, not_from))
        raise ConfigError(f"examples: the whole pool is of the documents of examples.not_from ({files}); give another")
    return pool.only(position for position, leak in enumerate(leaks) if not leak)


def _documents(paths: Sequence[Path], counts: Counter[str]) -> Iterator[Document]:
    ids: set[str] = set()
    for path in paths:
        for document in Corpus(reader=read_jsonl, path=path):
            counts["documents"] += 1
            if document.id in ids:
                counts["repeated_documents"] += 1
                continue
            ids.add(document.id)
            yield document


def _examples_of(
    section: Section, document_id: str, schema: Schema, chunker: Chunker, min_score: float, counts: Counter[str]
) -> Iterator[Example]:
    spans = sorted(section.spans, key=lambda span: (span.start, -span.end, span.label))
    whole = 0
    for chunk in chunker.chunks(section.text):
        counts["chunks"] += 1
        touching = [span for span in spans if span.start < chunk.end and span.end > chunk.start]
        inside = [span for span in touching if chunk.start <= span.start and span.end <= chunk.end]
        whole += len(inside)
        if any(span.score < min_score for span in touching):
            counts["chunks_with_low_scores"] += 1
            continue
        known = [(span, schema.find(span.label)) for span in inside]
        kept = [
            replace(span, start=span.start - chunk.start, end=span.end - chunk.start, label=entity_class.name)
            for span, entity_class in known
            if entity_class is not None
        ]
        counts["spans"] += len(kept)
        counts["spans_of_other_classes"] += len(inside) - len(kept)
        yield Example(section.text[chunk.start : chunk.end], tuple(kept), document_id)
    counts["spans_cut"] += len(spans) - whole


def _check(pool: Pool, paths: Sequence[Path], schema: Schema) -> None:
    files = ", ".join(map(str, paths))
    if not pool.counts["documents"]:
        raise ConfigError(f"examples.path={files}: no documents; give labelled ones, or examples=none")
    if pool.counts["chunks_with_low_scores"] and not pool.examples:
        raise ConfigError(
            f"examples.min_score: every chunk of {files} has a span with a lower score; choose a lower one"
        )
    if not pool.counts["spans"] and pool.counts["spans_of_other_classes"]:
        raise ConfigError(
            f"examples.path={files}: no span is of a class of the schema {schema.name} ({', '.join(schema.labels)}); "
            "give documents that were labelled with this schema, or choose theirs (schema=…)"
        )
    if not pool.counts["spans"] and pool.counts["spans_cut"]:
        raise ConfigError(
            f"examples.chunks.tokens: the chunks of {files} are so short that every span is cut; allow more"
        )
    if not pool.counts["spans"]:
        raise ConfigError(f"examples.path={files}: no document has a span; give labelled ones, or examples=none")
