"""The second pass: asks about the doubtful spans of a document, and gives them other scores."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.failures import FailedChunks
from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.annotation.parsing.answer import UnreadableAnswer
from kazu_distill.annotation.prompt import after_answer
from kazu_distill.annotation.verification.doubts import Doubt, Doubts, Place
from kazu_distill.annotation.verification.question import Window, question, windows
from kazu_distill.annotation.verification.verdicts import Scores, parse_verdicts
from kazu_distill.documents import Document, Span
from kazu_distill.errors import require_number
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.protocol import FinishReason, LLMError, NotAsked, Request
from kazu_distill.schema import Schema

_CORRECTION = """Your answer cannot be used: {problem}

Answer all the questions again, in the form that was asked for, with JSON alone."""


class Outcome(StrEnum):
    """What came of asking about a span."""

    YES = "yes"
    NO = "no"
    UNREADABLE = "unreadable"
    FAILED = "failed"


@dataclass(slots=True)
class Verified:
    """A document with the scores after the second pass, and what was said of each doubtful span.

    ``failures`` are kind and message of the requests that brought no answer. ``left``: something was not asked, and no
    failure either, such as when the budget is spent.
    """

    document: Document
    outcomes: list[tuple[Doubt, Outcome]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    left: bool = False


class Verifier:
    """Has an LLM say of each doubtful span whether it is one.

    Args:
        schema: the classes; their definitions are shown.
        asker: the LLM with its answer store.
        instructions: what is asked, and how to answer.
        doubts: which spans are doubtful.
        scores: what becomes of their scores.
        chunks: cuts sections into the texts that are shown.
        most: spans that are asked about at once.
        only: of a run that asks about what failed alone: what is of another document must be in the store.

    Raises:
        ConfigError: a class of ``doubts`` is not in the schema, or ``most`` is no number.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        asker: Asker,
        instructions: str,
        doubts: Doubts,
        scores: Scores,
        chunks: Chunker,
        most: int,
        only: FailedChunks | None = None,
    ) -> None:
        require_number("verify.most", most, above=0, whole=True)
        self._schema = schema
        self._asker = asker
        self._instructions = instructions.strip()
        self._doubts = doubts
        self._confused = doubts.confused(schema)
        self._scores = scores
        self._chunker = chunks
        self._most = most
        self._only = only

    async def verify(self, document: Document, statuses: Sequence[Mapping[Place, Status]]) -> Verified:
        """Ask about a document's doubtful spans; text, edges, classes and sources stay as they are.

        A span that gets no verdict keeps its score.

        Args:
            document: with the voters' spans, scores being shares of votes.
            statuses: for each section, how its spans were found.
        """
        verified = Verified(document)
        asked = await asyncio.gather(
            *(
                self._of_section(document.id, section.text, section.spans, found, verified)
                for section, found in zip(document.sections, statuses, strict=True)
            )
        )
        verified.document = document.with_spans(list(asked))
        return verified

    async def _of_section(
        self, document_id: str, text: str, spans: Sequence[Span], found: Mapping[Place, Status], verified: Verified
    ) -> tuple[Span, ...]:
        doubts = list(self._doubts.among(spans, found, confused=self._confused))
        asked = list(windows(text, doubts, self._chunker, most=self._most))
        answers = await asyncio.gather(*(self._of_window(document_id, window, verified) for window in asked))
        scores: dict[Place, float] = {}
        for window, outcomes in zip(asked, answers, strict=True):
            for doubt, outcome in zip(window.doubts, outcomes, strict=True):
                verified.outcomes.append((doubt, outcome))
                if outcome in (Outcome.YES, Outcome.NO):
                    is_one = outcome is Outcome.YES
                    scores[doubt.span.place] = self._scores.after(doubt.span.score, is_one=is_one)
        return tuple(replace(span, score=scores.get(span.place, span.score)) for span in spans)

    async def _of_window(self, document_id: str, window: Window, verified: Verified) -> list[Outcome]:
        """What came of each of a window's questions."""
        allowed = self._only is None or self._only.has_document(document_id)
        numbers = range(1, len(window.doubts) + 1)
        try:
            verdicts = await self._verdicts(question(window, self._schema, self._instructions), numbers, allowed)
        except UnreadableAnswer:
            return [Outcome.UNREADABLE for _ in numbers]
        except LLMError as error:
            if isinstance(error, NotAsked) or error.fatal:
                verified.left = True
            else:
                verified.failures.append((error.kind, str(error)))
            return [Outcome.FAILED for _ in numbers]
        said = {True: Outcome.YES, False: Outcome.NO, None: Outcome.UNREADABLE}
        return [said[verdicts.get(number)] for number in numbers]

    async def _verdicts(self, request: Request, numbers: Sequence[int], allowed: bool) -> dict[int, bool]:
        """The verdicts of an answer; while it has none, the LLM is told so and asked for another one."""
        attempts = self._asker.retry.invalid_answer
        while True:
            answer = await self._asker.ask(request, allowed=allowed)
            if answer.finish_reason is not FinishReason.STOP:
                raise Unfinished(f"the LLM did not finish its answer: {answer.finish_reason}")
            try:
                return parse_verdicts(answer.text, numbers)
            except UnreadableAnswer as error:
                if not attempts:
                    raise
                attempts -= 1
                request = after_answer(request, answer.text, _CORRECTION.format(problem=error))


class Unfinished(LLMError):
    """An answer that was cut or stopped."""

    kind = "stopped"
