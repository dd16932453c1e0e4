"""Records out of documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import Protocol

from kazu_distill.annotation.chunking.chunks import Chunk, Chunker
from kazu_distill.annotation.grounding.grounder import Grounder
from kazu_distill.annotation.parsing.answer import Mention, UnreadableAnswer
from kazu_distill.annotation.prompt import Prompt, Question
from kazu_distill.annotation.styles.style import CannotExpress
from kazu_distill.documents import Document, Section, Span
from kazu_distill.instruction.examples import RenamedExamples
from kazu_distill.instruction.negatives import Negatives
from kazu_distill.instruction.noise import Noise, Shown
from kazu_distill.instruction.records import Asked, Record, digest_of
from kazu_distill.retrieval.shown import Examples
from kazu_distill.schema import EntityClass, Schema

_PROMPTS_KEPT = 512  # rendered guidelines; noise makes new ones all the time


class Back(StrEnum):
    """What comes back when a record's answer is read as a model's would be."""

    SPANS = "spans"  # exactly the spans
    MENTIONS = "mentions"  # exactly the mentions in order, but the form does not say which of their places are meant


class LeftOut(StrEnum):
    """Why there is no record."""

    FORM = "the form has no way to write it"
    LOST = "its answer does not come back"


class MakePrompt(Protocol):
    """Makes the prompt for a schema."""

    def __call__(self, *, schema: Schema, examples: Examples | None) -> Prompt:
        """The prompt that asks for the classes of a schema."""


class RecordMaker:
    """Makes the questions that ``annotate`` asks about a document, with the answers that its labels give.

    Every answer is read again as a model's is: the mentions must come back exactly, or there is no record. Whether the
    spans do is noted.

    Args:
        schema: the classes.
        make_prompt: the prompt for a schema; of its ``schema`` and ``examples`` there are many.
        class_by_class: ask about each class by itself.
        chunker: cuts long texts.
        grounder: finds mentions for whose place the form has no words.
        examples: who chooses examples to show; None shows none.
        negatives: chooses classes that a training text has not; other texts are asked about every class.
        noise: changes the guidelines of training records; those of others stay.
        seed: of both.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        make_prompt: MakePrompt,
        class_by_class: bool,
        chunker: Chunker,
        grounder: Grounder,
        examples: Examples | None,
        negatives: Negatives,
        noise: Noise,
        seed: int,
    ) -> None:
        self._schema = schema
        self._class_by_class = class_by_class
        self._chunker = chunker
        self._grounder = grounder
        self._negatives = negatives
        self._noise = noise
        self._seed = seed
        self._plain = Shown(schema, {label: label for label in schema.labels})

        def prompt(wanted: _Wanted) -> Prompt:
            renamed = examples and RenamedExamples(examples, dict(wanted.names))
            return make_prompt(schema=wanted.schema, examples=renamed)

        self._prompt = lru_cache(_PROMPTS_KEPT)(prompt)

    def records(self, document: Document, *, training: bool) -> Iterator[tuple[Asked, Record | LeftOut, Back]]:
        """Each question about a document, with its record or why there is none, and what comes back of the answer."""
        for number, section in enumerate(document.sections):
            for chunk in self._chunker.chunks(section.text):
                spans = spans_inside(section, chunk)
                text = section.text[chunk.start : chunk.end]
                digest = digest_of(text)
                for identifier, labels in self._questions(document, number, chunk, spans, training=training):
                    noisy = training and self._noise.changes_anything
                    chance = Random(f"noise {self._seed} {identifier}")
                    shown = self._noise.of(self._schema, chance) if noisy else self._plain
                    wanted = _Wanted.of(shown, labels)
                    true = {shown.names[label]: label for label in labels}
                    names = {name: true[name] for name in wanted.schema.labels}  # in the order in which they are shown
                    asked = Asked(identifier, document.id, number, chunk, names, digest)
                    own = [replace(span, label=shown.names[span.label]) for span in spans if span.label in labels]
                    context = self._chunker.context(section.text, chunk)
                    try:
                        [question] = self._prompt(wanted).questions(text, document, context=context)
                        answer = question.style.render(text, own, wanted.schema)
                    except CannotExpress:
                        yield asked, LeftOut.FORM, Back.MENTIONS
                    else:
                        yield asked, *self._answered(asked, question, own, answer)

    def _questions(
        self, document: Document, section: int, chunk: Chunk, spans: Sequence[Span], *, training: bool
    ) -> Iterator[tuple[str, Sequence[str]]]:
        """Of each question about a chunk its id and the classes that it asks for."""
        identifier = f"{document.id}/{section}/{chunk.start}-{chunk.end}"
        labels = self._schema.labels
        if not self._class_by_class:
            yield identifier, labels
            return
        present = {span.label for span in spans}
        wanted = (
            self._negatives.chosen(labels, present, Random(f"negatives {self._seed} {identifier}"))
            if training
            else labels
        )
        for number, label in enumerate(labels, start=1):
            if label in wanted:
                yield f"{identifier}/{number}", [label]

    def _answered(
        self, asked: Asked, question: Question, spans: Sequence[Span], answer: str
    ) -> tuple[Record | LeftOut, Back]:
        back = self._comes_back(question, answer, spans, asked.names)
        if back is None:
            return LeftOut.LOST, Back.MENTIONS
        mentions = {
            label: tuple(question.text[span.start : span.end] for span in spans if span.label == label)
            for label in asked.names
        }
        request = question.request
        return Record(asked, request.system, request.earlier, request.user, answer, mentions, len(spans)), back

    def _comes_back(
        self, question: Question, answer: str, spans: Sequence[Span], names: Mapping[str, str]
    ) -> Back | None:
        """What of the spans an answer gives back, under their true classes; None where not even the mentions are."""
        text = question.text
        try:
            parsed = question.parse(answer)
        except UnreadableAnswer:
            return None
        wanted = {(span.start, span.end, names[span.label]) for span in spans}
        if parsed.mentions and all(mention.place for mention in parsed.mentions):
            placed = {(*mention.place, names[mention.label]) for mention in parsed.mentions if mention.place}
            return Back.SPANS if placed == wanted and not parsed.faults else None
        listed = [Mention(text[span.start : span.end], span.label) for span in spans]
        if parsed.faults or _by_class(parsed.mentions, names) != _by_class(listed, names):
            return None
        grounded = self._grounder.ground(text, parsed.mentions, is_document=True).spans
        found = {(span.start, span.end, names[span.label]) for span in grounded}
        return Back.SPANS if found == wanted else Back.MENTIONS


def spans_inside(section: Section, chunk: Chunk) -> list[Span]:
    """The spans that a chunk holds whole, each once, in order of their place, with offsets into the chunk."""
    places = {span.place for span in section.spans if chunk.start <= span.start and span.end <= chunk.end}
    ordered = sorted(places, key=lambda place: (place[0], -place[1], place[2]))
    return [Span(start - chunk.start, end - chunk.start, label) for start, end, label in ordered]


def _by_class(mentions: Sequence[Mention], names: Mapping[str, str]) -> dict[str, list[str]]:
    """The strings of each true class, in their order."""
    listed: dict[str, list[str]] = {}
    for mention in mentions:
        listed.setdefault(names.get(mention.label, ""), []).append(mention.text)
    return listed


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a prompt depends on: the classes that it shows, and whose names they are."""

    classes: tuple[EntityClass, ...]
    names: tuple[tuple[str, str], ...]
    schema: Schema = field(compare=False)

    @classmethod
    def of(cls, shown: Shown, labels: Sequence[str]) -> _Wanted:
        names = {label: shown.names[label] for label in labels}
        schema = shown.schema.only(list(names.values()))
        return cls(schema.classes, tuple(names.items()), schema)


def spans_cut(document: Document, chunker: Chunker) -> int:
    """How many spans of a document stand in no chunk whole."""
    return sum(
        not any(chunk.start <= start and end <= chunk.end for chunk in chunks)
        for section in document.sections
        for chunks in [chunker.chunks(section.text)]
        for start, end, _ in {span.place for span in section.spans}
    )
