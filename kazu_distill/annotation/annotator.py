"""One document after another through prompt, LLM, parsing, grounding and cleaning; several requests at once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from kazu_distill.annotation.chunks import Chunk, chunks_of, halves
from kazu_distill.annotation.cleaning import Cleaner, Dropped
from kazu_distill.annotation.grounding import GroundedSpan, Grounder, Grounding, Status
from kazu_distill.annotation.parsing import Fault, Mention, UnreadableAnswer, parse_answer
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.protocol import Answer, FinishReason, LLMError, TooLong
from kazu_distill.schema import Schema

_SHORTEST_CHUNK = 200  # characters; what is refused at this length is not refused for its length


@dataclass(frozen=True, slots=True)
class Failure:
    """A chunk of a document that got no usable answer: why, and what the LLM said, if it said anything."""

    document_id: str
    section: int
    chunk: Chunk
    reason: str
    message: str
    answer: str = ""


@dataclass(slots=True)
class Annotated:
    """A document with the LLM's spans, or the failures that keep it from being one; and what happened on the way."""

    document: Document
    failures: list[Failure] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    missing: list[tuple[Mention, Status]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Annotator:
    """Labels documents with an LLM.

    Args:
        schema: the classes.
        prompt: the question.
        asker: the LLM with its answer store.
        grounder: finds the mentions.
        cleaner: decides which spans stay.
        source: what the spans' ``source`` says, such as the model's name.
        longest_chunk: characters of a section that are asked about at once.

    Raises:
        ConfigError: chunks would be too short to make sense.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        prompt: Prompt,
        asker: Asker,
        grounder: Grounder,
        cleaner: Cleaner,
        source: str,
        longest_chunk: int,
    ) -> None:
        self._schema = schema
        self._prompt = prompt
        self._asker = asker
        self._grounder = grounder
        self._cleaner = cleaner
        self._source = source
        if longest_chunk < _SHORTEST_CHUNK:
            raise ConfigError(f"longest_chunk={longest_chunk}: it takes at least {_SHORTEST_CHUNK} characters")
        self._longest_chunk = longest_chunk

    async def annotate_all(self, documents: Iterable[Document], *, in_flight: int) -> AsyncIterator[Annotated]:
        """Label documents, ``in_flight`` at once, and give them back in their order.

        Raises:
            LLMError: one that no later request can escape, such as a wrong key.
        """
        tasks: deque[asyncio.Task[Annotated]] = deque()
        try:
            for document in documents:
                tasks.append(asyncio.create_task(self.annotate(document)))
                if len(tasks) >= in_flight:
                    yield await tasks.popleft()
            while tasks:
                yield await tasks.popleft()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def annotate(self, document: Document) -> Annotated:
        """Label one document; spans that it had are replaced."""
        result = Annotated(document)
        sections = await asyncio.gather(
            *(self._annotate_section(result, number, section) for number, section in enumerate(document.sections))
        )
        result.document = document.with_spans(sections)
        return result

    async def _annotate_section(self, result: Annotated, number: int, section: Section) -> tuple[Span, ...]:
        chunks = chunks_of(section.text, longest=self._longest_chunk)
        spans = await asyncio.gather(*(self._annotate_chunk(result, number, section.text, chunk) for chunk in chunks))
        return tuple(
            Span(span.start, span.end, span.label, source=self._source) for of_chunk in spans for span in of_chunk
        )

    async def _annotate_chunk(self, result: Annotated, number: int, text: str, chunk: Chunk) -> list[GroundedSpan]:
        """The chunk's spans with offsets into the section; a chunk that is too much for the LLM is asked in halves."""
        part = text[chunk.start : chunk.end]
        answer: Answer | None = None
        try:
            answer = await self._asker.ask(self._prompt.request(part))
            too_much = answer.finish_reason is not FinishReason.STOP
            reason, message = f"stopped: {answer.finish_reason}", "the LLM did not finish its answer"
        except LLMError as error:
            if error.fatal:
                raise
            too_much, reason, message = isinstance(error, TooLong), type(error).__name__, str(error)
        if too_much and len(part) > _SHORTEST_CHUNK and len(smaller := halves(text, chunk)) > 1:
            both = await asyncio.gather(*(self._annotate_chunk(result, number, text, half) for half in smaller))
            return [span for spans in both for span in spans]
        if answer is not None and not too_much:
            try:
                return self._understand(result, part, chunk, answer)
            except UnreadableAnswer as error:
                reason, message = "unreadable answer", str(error)
        result.failures.append(
            Failure(result.document.id, number, chunk, reason, message, answer.text if answer else "")
        )
        return []

    def _understand(self, result: Annotated, part: str, chunk: Chunk, answer: Answer) -> list[GroundedSpan]:
        parsed = parse_answer(answer.text, self._schema)
        result.faults += parsed.faults
        grounding: Grounding = self._grounder.ground(part, parsed.mentions)
        result.statuses.update(span.status for span in grounding.spans)
        result.statuses.update(status for _, status in grounding.missing)
        result.missing += grounding.missing
        kept, dropped = self._cleaner.clean(part, grounding.spans)
        result.dropped += dropped
        return [
            GroundedSpan(span.start + chunk.start, span.end + chunk.start, span.label, span.status) for span in kept
        ]
