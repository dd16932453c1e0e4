"""Documents out of the answers that a tuned LLM gave to the questions of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kazu_distill.annotation.failures import Failure
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Grounder, Status
from kazu_distill.annotation.parsing.answer import Mention, ParsedAnswer, UnreadableAnswer
from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.annotation.styles.style import Style
from kazu_distill.document_files import json_values, read_lines
from kazu_distill.documents import Document, InvalidDocument, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.instruction.predictions import Prediction, Predictions
from kazu_distill.instruction.records import Asked, digest_of
from kazu_distill.schema import Schema


@dataclass(frozen=True, slots=True)
class AnsweredChunk:
    """A chunk with what was asked about it and answered: the classes, and the mentions under their true classes."""

    section: int
    start: int
    text: str
    classes: frozenset[str]
    mentions: tuple[Mention, ...]


@dataclass(slots=True)
class ReadDocument:
    """A document with the spans that a model gave it, or the failures that keep it from having any; and as it was."""

    document: Document
    gold: Document
    chunks: list[AnsweredChunk] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    missing: list[tuple[int, Mention, Status]] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    other_targets: int = 0
    """Predictions whose ``target`` is not what the document has."""


class AnswerReader:
    """Reads answers in the style in which they were asked for, and grounds them.

    Args:
        schema: of the records.
        style: the form of the answers.
        grounder: finds the mentions.
        source: names the model in its spans.
    """

    def __init__(self, *, schema: Schema, style: Style, grounder: Grounder, source: str) -> None:
        self._schema = schema
        self._style = style
        self._grounder = grounder
        self._source = source

    def read(
        self, documents: Iterable[Document], asked: Iterable[Asked], predictions: Predictions
    ) -> Iterator[ReadDocument]:
        """The documents with the model's spans, in their order, in memory for one of them and for the predictions.

        Args:
            documents: what the records were made of, in the same order.
            asked: what they asked about.
            predictions: the answers.

        Raises:
            CorpusError: the documents are not those that were asked about, or there are answers to other questions.
        """
        questions = _Ahead(asked)
        answers = _Answers(predictions)
        for document in documents:
            own = list(questions.of(document.id))
            yield self._document(document, [(question, answers.to(question)) for question in own])
        questions.check_end()
        answers.check_end()

    def _document(self, document: Document, answered: Sequence[tuple[Asked, Prediction | None]]) -> ReadDocument:
        read = ReadDocument(document.without_spans(), document)
        grounded: list[list[GroundedSpan]] = [[] for _ in document.sections]
        is_one_text = len(answered) == 1  # then there are no places but those in it
        for asked, prediction in answered:
            text = _text_of(asked, document)
            try:
                parsed = self._parsed(asked, prediction, text)
            except UnreadableAnswer as error:
                said = prediction.answer if prediction else ""
                kind = asked.left_out or ("invalid answer" if prediction else "no prediction")
                failure = Failure(document.id, asked.section, asked.chunk, self._source, kind, str(error), said)
                read.failures.append(failure)
                continue
            mentions = tuple(replace(mention, label=asked.names[mention.label]) for mention in parsed.mentions)
            read.faults.update(fault.kind for fault in parsed.faults)
            classes = frozenset(asked.names.values())
            read.chunks.append(AnsweredChunk(asked.section, asked.chunk.start, text, classes, mentions))
            read.other_targets += _has_other_target(asked, prediction, document, text)
            grounding = self._grounder.ground(text, mentions, is_document=is_one_text)
            read.statuses.update(span.status for span in grounding.spans)
            read.statuses.update(status for _, status in grounding.missing)
            read.missing += [(asked.section, mention, status) for mention, status in grounding.missing]
            grounded[asked.section] += [
                replace(span, start=span.start + asked.chunk.start, end=span.end + asked.chunk.start)
                for span in grounding.spans
            ]
        if not read.failures:
            if self._grounder.over_documents and not is_one_text:
                grounded = self._grounder.over_document([section.text for section in document.sections], grounded)
            read.document = document.relabelled([self._spans(own) for own in grounded])
        return read

    def _parsed(self, asked: Asked, prediction: Prediction | None, text: str) -> ParsedAnswer:
        if prediction is None:
            raise UnreadableAnswer(
                f"there is no record: {asked.left_out}" if asked.left_out else f'no prediction has the id "{asked.id}"'
            )
        schema = Schema(
            name=self._schema.name, classes={name: {} for name in asked.names}, ignored=self._schema.ignored
        )
        style = ClassLists() if prediction.extracted else self._style
        return style.parse(prediction.answer, text, schema)

    def _spans(self, grounded: Iterable[GroundedSpan]) -> tuple[Span, ...]:
        places = sorted({(span.start, -span.end, span.label) for span in grounded})
        return tuple(Span(start, -end, label, source=self._source) for start, end, label in places)


def read_asked(path: Path) -> Iterator[Asked]:
    """What records ask about, out of a file that was written with them.

    Raises:
        CorpusError: there is no such file, or it is none.
    """
    if not path.is_file():
        raise CorpusError(
            f"{path}: no such file; it is written with the records, so give their folder (out=…) and part=…"
        )
    for file, number, line in read_lines(path):
        try:
            yield Asked.of(json_values(line))
        except InvalidDocument as error:
            raise CorpusError(f"{file}:{number}: not a question of a record: {error}") from error


def gold_asked_for(read: ReadDocument) -> list[tuple[Section, list[AnsweredChunk]]]:
    """Each section of a document with the gold spans whose class was asked about where they stand; and its chunks."""
    sections = []
    for number, section in enumerate(read.gold.sections):
        chunks = [chunk for chunk in read.chunks if chunk.section == number]
        kept = tuple(span for span in section.spans if any(_covers(chunk, span) for chunk in chunks))
        sections.append((replace(section, spans=kept), chunks))
    return sections


def _covers(chunk: AnsweredChunk, span: Span) -> bool:
    inside = chunk.start <= span.start and span.end <= chunk.start + len(chunk.text)
    return inside and span.label in chunk.classes


class _Ahead:
    """Questions in the order of their documents, given out document by document."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        self._questions = iter(asked)
        self._next = next(self._questions, None)
        self._done: set[int] = set()

    def of(self, document_id: str) -> Iterator[Asked]:
        while self._next is not None and self._next.document_id == document_id:
            question, self._next = self._next, next(self._questions, None)
            yield question

    def check_end(self) -> None:
        if self._next is not None:
            raise CorpusError(
                f'document "{self._next.document_id}" was asked about and is not there, or not in this order; give the '
                "documents that the records were made of (corpus.path=…, part=…)"
            )


class _Answers:
    """Predictions as the questions ask for them."""

    def __init__(self, predictions: Predictions) -> None:
        self._path = predictions.path
        self._by_id = dict(predictions.by_id)
        self._in_order = predictions.in_order
        self._given = 0

    def to(self, asked: Asked) -> Prediction | None:
        if asked.left_out:
            return None
        if not self._in_order:
            return self._by_id.pop(asked.id, None)
        self._given += 1
        return self._in_order[self._given - 1] if self._given <= len(self._in_order) else None

    def check_end(self) -> None:
        if self._by_id:
            raise CorpusError(
                f'{self._path}: id "{next(iter(self._by_id))}" and {len(self._by_id) - 1:,} others are of no record of '
                "this part; give the part and the folder that these records are of (part=…, out=…)"
            )
        if self._in_order and self._given != len(self._in_order):
            raise CorpusError(
                f"{self._path}: {len(self._in_order):,} answers without ids to {self._given:,} records; without ids "
                "there must be one for each, in their order"
            )


def _text_of(asked: Asked, document: Document) -> str:
    if asked.section < len(document.sections):
        text = document.sections[asked.section].text[asked.chunk.start : asked.chunk.end]
        if digest_of(text) == asked.digest:
            return text
    raise CorpusError(
        f'document "{document.id}", section {asked.section}: the text is not the one that was asked about; give the '
        "documents that the records were made of (corpus.path=…, part=…)"
    )


def _has_other_target(asked: Asked, prediction: Prediction | None, document: Document, text: str) -> bool:
    """Whether a prediction's file says that something else was right than what the document has."""
    if prediction is None or prediction.target is None:
        return False
    own = Counter(
        (span.label, text[span.start - asked.chunk.start : span.end - asked.chunk.start])
        for span in {each.place: each for each in document.sections[asked.section].spans}.values()
        if asked.chunk.start <= span.start and span.end <= asked.chunk.end
    )
    classes = set(asked.names.values())
    wanted = Counter({key: count for key, count in own.items() if key[0] in classes})
    told = Counter(
        (asked.names.get(name, name), mention) for name, them in prediction.target.items() for mention in them
    )
    return wanted != told
