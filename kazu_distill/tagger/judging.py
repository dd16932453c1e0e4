"""What a tagger thinks of spans that somebody else put into documents, beside those that it finds itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document, Section, Span, blocks_of
from kazu_distill.tagger.labels import Membership
from kazu_distill.tagger.tagger import BLOCK, Tagger


@dataclass(frozen=True, slots=True)
class Judged:
    """A document twice: with its own spans and with those that a tagger finds; scores are the tagger's sureness."""

    given: Document
    found: Document


def judge_spans(tagger: Tagger, documents: Iterable[Document], *, source: str = "") -> Iterator[Judged]:
    """What a tagger thinks of the spans of documents, in order and in bounded memory.

    Args:
        tagger: the judge; for an honest answer it has not learnt from these documents.
        documents: with spans of its classes.
        source: who the scores and the found spans are said to come from.
    """
    labels = tagger.scheme.labels
    thresholds = tagger.settings.thresholds_of(labels)
    for block in blocks_of(documents, characters=BLOCK):
        reading = tagger.read(block)
        found = iter(reading.spans(thresholds, source=source))
        borders = iter(pairwise(reading.borders.tolist()))
        for document in block:
            sides: tuple[list[Section], list[Section]] = ([], [])
            for section in document.sections:
                own = slice(*next(borders))
                member = Membership(reading.member.probability[own], reading.member.begins[own])
                for side, spans in zip(sides, (section.spans, next(found)), strict=True):
                    sure = sureness(spans, reading.places[own], member, labels)
                    scored = [replace(span, score=each, source=source) for span, each in zip(spans, sure, strict=True)]
                    side.append(replace(section, spans=tuple(scored)))
            yield Judged(*(replace(document, sections=tuple(side)) for side in sides))


def sureness(spans: Sequence[Span], words: NDArray[np.int32], member: Membership, labels: Sequence[str]) -> list[float]:
    """How sure it is that each span is one exactly as it stands, 0 to 1: the least sure of the decisions that make it.

    To find a span with exactly these edges the decoder has to decide that each of its words is in a span of the class,
    that none but the first begins one, and that it goes on neither before the first nor behind the last. So with all
    thresholds at a half it finds just those spans of which this is above a half. (A span's score, the mean over its
    words, says nothing of its edges.) The weakest decision ranked label errors best in Wang and Mueller 2022,
    "Detecting Label Errors in Token Classification Data".

    Args:
        spans: over characters. A span has the words of which it covers a character; one without words cannot be found,
            and its sureness is 0.
        words: ``(words, 2)``, start and end of each, in order.
        member: what is thought of the words, ``(words, classes)``.
        labels: the classes.
    """
    classes = {label: number for number, label in enumerate(labels)}
    sure = []
    for span in spans:
        first = int(words[:, 1].searchsorted(span.start, side="right"))
        behind = int(words[:, 0].searchsorted(span.end, side="left"))
        inside = member.probability[:, classes[span.label]]
        begins = member.begins[:, classes[span.label]]
        decisions = [*inside[first:behind], *(1 - inside[first + 1 : behind][begins[first + 1 : behind]])]
        if first and not begins[first : first + 1].any():
            decisions.append(1 - inside[first - 1])
        if behind < len(words) and not begins[behind]:
            decisions.append(1 - inside[behind])
        sure.append(float(min(decisions)) if first < behind else 0.0)
    return sure
