"""Several voters on one document, and many documents at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kazu_distill.annotation.annotator import Annotator, Opinion
from kazu_distill.annotation.cleaning.cleaner import Dropped, Mended
from kazu_distill.annotation.failures import Failure
from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.annotation.parsing.answer import Fault, Mention
from kazu_distill.annotation.verification.doubts import closest
from kazu_distill.annotation.verification.verifier import Verified, Verifier
from kazu_distill.annotation.votes import Votes
from kazu_distill.documents import NOT_IN_TEXT, VOTES, Document, Span
from kazu_distill.excerpts import shortened

_KEPT = 24  # of the mentions of a document that are not in its text
_LONGEST = 200  # characters of such a mention


@dataclass(frozen=True, slots=True)
class Annotated:
    """A document with the voters' spans, the voters' opinions that they come from, and what the second pass said."""

    document: Document
    opinions: tuple[Opinion, ...]
    verified: Verified | None = None

    @property
    def is_left(self) -> bool:
        """Whether somebody was not asked about something, so that the document is for another run."""
        return any(opinion.left for opinion in self.opinions) or self._is_unverified

    @property
    def is_labelled(self) -> bool:
        """Whether every voter has an opinion of all of the document: a share of fewer would say too much."""
        return all(opinion.is_whole for opinion in self.opinions) and not self._is_unverified

    @property
    def _is_unverified(self) -> bool:
        return self.verified is not None and self.verified.left

    @property
    def failures(self) -> list[Failure]:
        """What kept voters from an opinion."""
        return [failure for opinion in self.opinions for failure in opinion.failures]

    @property
    def mentions(self) -> int:
        """How many mentions were listed, by all voters."""
        return sum(opinion.mentions for opinion in self.opinions)

    @property
    def statuses(self) -> Counter[Status]:
        """How mentions were found, over all voters."""
        return sum((opinion.statuses for opinion in self.opinions), Counter[Status]())

    @property
    def missing(self) -> list[tuple[Mention, Status]]:
        """Mentions without a place, of all voters."""
        return [missing for opinion in self.opinions for missing in opinion.missing]

    @property
    def dropped(self) -> list[Dropped]:
        """Spans that cleaning dropped, of all voters."""
        return [dropped for opinion in self.opinions for dropped in opinion.dropped]

    @property
    def mended(self) -> list[Mended]:
        """Spans that cleaning gave other edges, of all voters."""
        return [mended for opinion in self.opinions for mended in opinion.mended]

    @property
    def faults(self) -> list[Fault]:
        """What of the answers could not be used, of all voters."""
        return [fault for opinion in self.opinions for fault in opinion.faults]


class Panel:
    """Voters whose opinions become one.

    Args:
        annotators: the voters.
        votes: how opinions are merged.
        verifier: asks about doubtful spans; None does without.
    """

    def __init__(self, *, annotators: Sequence[Annotator], votes: Votes, verifier: Verifier | None = None) -> None:
        self._annotators = tuple(annotators)
        self._votes = votes
        self._verifier = verifier

    async def annotate_all(
        self, documents: Iterable[Document], *, at_once: int
    ) -> AsyncGenerator[tuple[int, Annotated], None]:
        """Label documents, so many at once, and give each back with its number as soon as it is done."""
        numbered = enumerate(documents)
        done: asyncio.Queue[tuple[int, Annotated] | BaseException | None] = asyncio.Queue(maxsize=at_once)

        async def work() -> None:
            try:
                for number, document in numbered:  # which all workers share
                    await done.put((number, await self.annotate(document)))
                await done.put(None)
            except Exception as error:  # noqa: BLE001 — raised again where the results are awaited
                await done.put(error)

        workers = [asyncio.create_task(work()) for _ in range(at_once)]
        working = at_once
        try:
            while working:
                outcome = await done.get()
                if outcome is None:
                    working -= 1
                elif isinstance(outcome, BaseException):
                    raise outcome
                else:
                    yield outcome
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def annotate(self, document: Document) -> Annotated:
        """Label one document; spans that it had are replaced."""
        if len(self._annotators) == 1:
            opinions = [await self._annotators[0].annotate(document)]
        else:
            opinions = list(await asyncio.gather(*(annotator.annotate(document) for annotator in self._annotators)))
        annotated = Annotated(document, tuple(opinions))
        if not annotated.is_labelled:
            return annotated
        merged = self._merge(annotated)
        if self._verifier is None:
            return replace(annotated, document=merged)
        by_section = zip(*(opinion.found for opinion in opinions), strict=True)
        verified = await self._verifier.verify(merged, [closest(found) for found in by_section])
        return replace(annotated, document=verified.document, verified=verified)

    def _merge(self, annotated: Annotated) -> Document:
        document, opinions = annotated.document, annotated.opinions
        about: dict[str, Any] = _not_in_text(opinions)
        if len(opinions) == 1:
            return document.relabelled(opinions[0].sections, about)
        merged = [
            self._votes.merge({opinion.voter: opinion.sections[number] for opinion in opinions})
            for number in range(len(document.sections))
        ]
        about[VOTES] = {opinion.voter: [_plain(spans) for spans in opinion.sections] for opinion in opinions}
        return document.relabelled(merged, about)


def _not_in_text(opinions: Iterable[Opinion]) -> dict[str, Any]:
    """What voters listed that is not in the text, for whoever scores the labels: all counted, and some of it kept."""
    missing = [
        (mention, opinion.voter)
        for opinion in opinions
        for mention, status in opinion.missing
        if status is Status.NOT_FOUND
    ]
    if not missing:
        return {}
    return {
        NOT_IN_TEXT: {
            "per_class": dict(Counter(mention.label for mention, _ in missing)),
            "mentions": [
                {"text": shortened(mention.text, _LONGEST), "label": mention.label, "voter": voter}
                for mention, voter in missing[:_KEPT]
            ],
        }
    }


def _plain(spans: Iterable[Span]) -> list[dict[str, object]]:
    return [{"start": span.start, "end": span.end, "label": span.label} for span in spans]
