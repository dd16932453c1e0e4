"""One voter's opinion of a document: its chunks through prompt, LLM, parsing, grounding and cleaning."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

from kazu_distill.annotation.chunking.chunks import Chunk, Chunker
from kazu_distill.annotation.cleaning.cleaner import Cleaner, Dropped, Mended
from kazu_distill.annotation.failures import FailedChunks, Failure
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Grounder, Status
from kazu_distill.annotation.grounding.tokens import Place
from kazu_distill.annotation.parsing.answer import Fault, Mention, ParsedAnswer, UnreadableAnswer
from kazu_distill.annotation.prompt import Part, Prompt, Question
from kazu_distill.documents import Document, Section, Span
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.protocol import Answer, FinishReason, LLMError, NotAsked, TooLong

_SHORTEST_CHUNK = 200  # characters; what is refused at this length is not refused for its length
# A filter that stopped the LLM may pass a smaller part, but halving without end would multiply the requests.
_HALVINGS_OF_STOPPED = 2
_T = TypeVar("_T")
Answered: TypeAlias = tuple[Chunk, ParsedAnswer]


@dataclass(slots=True)
class Opinion:
    """A voter's spans, a tuple a section, or the failures that keep it from having any; and what happened on the way.

    ``found`` says of each section's spans, by their place, how they were found.
    ``left``: something was not asked, and no failure either, such as when the budget is spent.
    ``mentions``: how many the LLM listed; ``statuses`` counts places, of which a mention may label several.
    """

    voter: str
    sections: list[tuple[Span, ...]] = field(default_factory=list)
    found: list[dict[tuple[int, int, str], Status]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    left: bool = False
    mentions: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    missing: list[tuple[Mention, Status]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    mended: list[Mended] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the voter has spoken about the whole document."""
        return not self.failures and not self.left


class Annotator:
    """Has one LLM label documents.

    Args:
        voter: the name that its spans carry as their source.
        chunker: cuts long texts.
        prompt: the question.
        asker: the LLM with its answer store.
        sample: which of several answers of this LLM is meant, from 0.
        grounder: finds the mentions.
        cleaner: decides which spans stay.
        only: ask about these chunks, and whatever else their documents need, alone.
    """

    def __init__(
        self,
        *,
        voter: str,
        chunker: Chunker,
        prompt: Prompt,
        asker: Asker,
        sample: int = 0,
        grounder: Grounder,
        cleaner: Cleaner,
        only: FailedChunks | None = None,
    ) -> None:
        self.voter = voter
        self.asker = asker
        self._chunker = chunker
        self._prompt = prompt
        self._sample = sample
        self._grounder = grounder
        self._cleaner = cleaner
        self._only = only

    async def annotate(self, document: Document) -> Opinion:
        """Label one document."""
        opinion = Opinion(self.voter)
        answered = await _all(
            self._ask_about_section(_Place(document, number, section.text), opinion)
            for number, section in enumerate(document.sections)
        )
        if not opinion.is_whole:
            return opinion
        is_one_text = sum(map(len, answered)) == 1  # then there are no places but those in it
        grounded = [
            self._ground(section.text, of_section, opinion, is_document=is_one_text)
            for section, of_section in zip(document.sections, answered, strict=True)
        ]
        if self._grounder.over_documents and not is_one_text:
            texts = [section.text for section in document.sections]
            grounded = self._grounder.over_document(texts, grounded, [_marked(own) for own in answered])
        opinion.sections = [
            self._clean(section, spans, opinion) for section, spans in zip(document.sections, grounded, strict=True)
        ]
        return opinion

    async def _ask_about_section(self, place: _Place, opinion: Opinion) -> list[Answered]:
        chunks = self._chunker.chunks(place.text)
        answered = await _all(self._ask_all_about(place, chunk, opinion, 0) for chunk in chunks)
        return [pair for pairs in answered for pair in pairs]

    async def _ask_all_about(
        self, place: _Place, chunk: Chunk, opinion: Opinion, halved: int, *parts: Part
    ) -> list[Answered]:
        """The answers to all questions about a chunk, or to those about some parts."""
        text, context = place.text[chunk.start : chunk.end], self._chunker.context(place.text, chunk)
        ask = partial(self._prompt.questions, text, place.document, context=context, parts=parts)
        questions = await asyncio.to_thread(ask) if self._prompt.looks_up else ask()
        answered = await _all(self._ask_about(place, chunk, question, opinion, halved) for question in questions)
        return [pair for pairs in answered for pair in pairs]

    def _ground(
        self, text: str, answered: Iterable[Answered], opinion: Opinion, *, is_document: bool
    ) -> list[GroundedSpan]:
        """The spans of a section, with offsets into its text."""
        spans: list[GroundedSpan] = []
        for chunk, parsed in answered:
            opinion.faults += parsed.faults
            part = text[chunk.start : chunk.end]
            grounding = self._grounder.ground(part, parsed.mentions, is_document=is_document)
            opinion.mentions += grounding.mentions
            opinion.statuses.update(span.status for span in grounding.spans)
            opinion.statuses.update(status for _, status in grounding.missing)
            opinion.missing += grounding.missing
            spans += [
                replace(span, start=span.start + chunk.start, end=span.end + chunk.start) for span in grounding.spans
            ]
        return spans

    def _clean(self, section: Section, grounded: Iterable[GroundedSpan], opinion: Opinion) -> tuple[Span, ...]:
        cleaned = self._cleaner.clean(section.text, grounded)
        opinion.dropped += cleaned.dropped
        opinion.mended += cleaned.mended
        opinion.found.append({(span.start, span.end, span.label): span.status for span in cleaned.kept})
        return tuple(Span(span.start, span.end, span.label, source=self.voter) for span in cleaned.kept)

    async def _ask_about(
        self, place: _Place, chunk: Chunk, question: Question, opinion: Opinion, halved: int
    ) -> list[Answered]:
        """The answers to a question about a chunk; one that is too much for the LLM is asked about in halves."""
        answer: Answer | None = None
        too_much = False
        try:
            answer = await self._ask(question, place, chunk)
            if answer.finish_reason is FinishReason.STOP:
                return [(chunk, await self._read(question, answer, place, chunk, opinion))]
            cut = answer.finish_reason is FinishReason.LENGTH
            too_much = cut or halved < _HALVINGS_OF_STOPPED
            kind, message = f"stopped: {answer.finish_reason}", "the LLM did not finish its answer"
        except NotAsked:
            opinion.left = True
            return []
        except UnreadableAnswer as error:
            kind, message = "invalid answer", str(error)
        except LLMError as error:
            if error.fatal:  # the asker asks nothing more, and says why
                opinion.left = True
                return []
            too_much, kind, message = isinstance(error, TooLong), error.kind, str(error)
            if too_much:
                message += f"; the shortest part of the text is so, too: {self._ways_to_ask_for_less()}"
        if too_much and len(question.text) > _SHORTEST_CHUNK:
            halves = self._chunker.halves(place.text, chunk)
            if len(halves) > 1:
                both = await _all(
                    self._ask_all_about(place, half, opinion, halved + 1, question.part) for half in halves
                )
                return [pair for pairs in both for pair in pairs]
        said = answer.text if answer else ""
        asked = question.part.schema.names
        failure = Failure(place.document.id, place.section, chunk, self.voter, kind, message, said, asked)
        opinion.failures.append(failure)
        return []

    def _ways_to_ask_for_less(self) -> str:
        context = ["chunks.context_tokens=0"] if self._chunker.context_tokens else []
        return "; ".join([*self._prompt.ways_to_ask_for_less, *context, "a model with a longer context"])

    async def _read(
        self, question: Question, answer: Answer, place: _Place, chunk: Chunk, opinion: Opinion
    ) -> ParsedAnswer:
        """What an answer says; while it is invalid, the LLM is told what is wrong and asked for another one.

        Of answers that are all damaged, the one with the most whole mentions counts.

        Raises:
            UnreadableAnswer: none of the answers can be read.
        """
        best: ParsedAnswer | None = None
        for attempt in range(self.asker.retry.invalid_answer + 1):
            try:
                parsed = question.parse(answer.text)
            except UnreadableAnswer as error:
                problem: str | None = str(error)
            else:
                problem = parsed.damage
                if best is None or problem is None or len(parsed.mentions) > len(best.mentions):
                    best = parsed
            if problem is None or attempt == self.asker.retry.invalid_answer:
                break
            question = question.again(answer.text, problem)
            try:
                answer = await self._ask(question, place, chunk)
            except NotAsked:
                raise
            except LLMError as error:
                if error.fatal:
                    raise
                break
            opinion.faults.append(Fault("invalid answer, asked again", problem))
        if best is None:
            raise UnreadableAnswer(problem)
        return best

    async def _ask(self, question: Question, place: _Place, chunk: Chunk) -> Answer:
        request = replace(question.request, sample=self._sample)
        if self._only is None:
            return await self.asker.ask(request)
        asked = question.part.schema.names
        failed = self._only.has_chunk(place.document.id, self.voter, place.section, chunk, asked)
        return await self.asker.ask(request, again=failed, allowed=self._only.has_document(place.document.id))


@dataclass(frozen=True, slots=True)
class _Place:
    """A section of a document."""

    document: Document
    section: int
    text: str


def _marked(answered: Iterable[Answered]) -> list[Place]:
    """The stretches in which an answer says of every place whether it is a mention."""
    return [
        (chunk.start, chunk.end)
        for chunk, parsed in answered
        if any(mention.place is not None for mention in parsed.mentions)
    ]


async def _all(coroutines: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """What coroutines return, run at once; a single one needs no task of its own, and most texts are one chunk."""
    listed = list(coroutines)
    return [await listed[0]] if len(listed) == 1 else list(await asyncio.gather(*listed))
