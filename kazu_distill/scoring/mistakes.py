"""What went wrong with each entity: each gold and each predicted one has exactly one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from kazu_distill.documents import Section, Span
from kazu_distill.scoring.pairs import Pair

CONTEXT = 60
"""Characters of text on each side of a mistake that are shown with it."""
EXAMPLES = 3
"""Mistakes that are shown of a frequent mention."""


class Kind(StrEnum):
    """What a predicted entity is beside the gold one that it is set against, or that one of them stands alone."""

    CORRECT = "correct"
    TOO_LONG = "too long"
    TOO_SHORT = "too short"
    SHIFTED = "shifted"
    CLASS = "wrong class"
    BOTH = "wrong class and boundary"
    MISSED = "missed"
    SPURIOUS = "spurious"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A kind, and the entities that it is said of: a pair, or one alone."""

    kind: Kind
    gold: Span | None
    predicted: Span | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A judgement that is not "correct", with where it is and the text around it.

    ``cut`` says whether the section has more text before what stands before it, and behind what stands after it.
    """

    document: str
    section: int
    section_name: str
    judgement: Judgement
    before: str
    text: str
    after: str
    cut: tuple[bool, bool]

    def mention(self, span: Span) -> str:
        """The text of one of its entities."""
        begin = min(each.start for each in (self.judgement.gold, self.judgement.predicted) if each)
        return self.text[span.start - begin : span.end - begin]

    def as_json(self) -> dict[str, Any]:
        """All of it, with the text of each entity."""
        sides = {"gold": self.judgement.gold, "predicted": self.judgement.predicted}
        return {
            "document": self.document,
            "section": self.section,
            "section_name": self.section_name,
            "kind": self.judgement.kind.value,
            **{
                side: span and {
                    "start": span.start, "end": span.end, "label": span.label, "score": span.score,
                    "text": self.mention(span),
                }
                for side, span in sides.items()
            },
            "before": self.before,
            "text": self.text,
            "after": self.after,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Analysis:
    """What went wrong with predictions.

    Args:
        kinds: for each class (of the gold entity, where there is one) how many judgements are of each kind.
        confusion: how often an entity of a gold class is predicted as one of a class; None where one stands alone.
        mistakes: all but the correct ones, in the order of the documents.
    """

    kinds: Mapping[str, Counter[Kind]]
    confusion: Counter[tuple[str | None, str | None]]
    mistakes: Sequence[Mistake]

    def as_json(self) -> dict[str, Any]:
        """Kinds and confusion; null or "" stands for none."""
        return {
            "kinds": {label: {kind.value: own[kind] for kind in Kind} for label, own in self.kinds.items()},
            "confusion": [
                {"gold": gold, "predicted": predicted, "count": count}
                for (gold, predicted), count in self.confusion.most_common()
            ],
        }


@dataclass(frozen=True, slots=True)
class Frequent:
    """A mention that is often wrong, case aside: how often, of how many, and some of the mistakes."""

    mention: str
    count: int
    examples: tuple[Mistake, ...]


def analyse(pairs: Sequence[Pair], labels: Sequence[str]) -> Analysis:
    """Judge every entity."""
    kinds: dict[str, Counter[Kind]] = {label: Counter() for label in labels}
    confusion: Counter[tuple[str | None, str | None]] = Counter()
    found: list[Mistake] = []
    for gold, predicted in pairs:
        for number, (own, its) in enumerate(zip(gold.sections, predicted.sections, strict=True)):
            for each in judge(own, its):
                classes = [span.label if span else None for span in (each.gold, each.predicted)]
                kinds[classes[0] or classes[1] or ""][each.kind] += 1
                confusion[classes[0], classes[1]] += 1
                if each.kind is not Kind.CORRECT:
                    found.append(_located(gold.id, number, own, each))
    return Analysis(kinds, confusion, found)


def frequent(
    mistakes: Iterable[Mistake], *, side: Literal["gold", "predicted"], most: int
) -> dict[str, list[Frequent]]:
    """For each class the mentions that are wrong most often, most frequent first.

    Args:
        mistakes: of an analysis.
        side: "gold": what is not found as it is; "predicted": what is found and should not be.
        most: how many of each class.
    """
    by_mention: dict[str, dict[str, list[Mistake]]] = {}
    for mistake in mistakes:
        span: Span | None = getattr(mistake.judgement, side)
        if span:
            own = by_mention.setdefault(span.label, {})
            own.setdefault(mistake.mention(span).casefold(), []).append(mistake)
    return {
        label: [
            Frequent(mention, len(them), tuple(them[:EXAMPLES]))
            for mention, them in sorted(own.items(), key=lambda item: (-len(item[1]), item[0]))[:most]
        ]
        for label, own in by_mention.items()
    }


def judge(gold: Section, predicted: Section) -> list[Judgement]:
    """A judgement for each entity of a section, gold and predicted, in the order of their places.

    First what is equal is paired; then what has the same edges; then what overlaps within a class; then what overlaps:
    in each step those first that share most of the characters that either covers. An entity that a section has twice
    counts once.
    """
    wanted, found = _different(gold), _different(predicted)
    judged = [Judgement(Kind.CORRECT, span, found[key]) for key, span in wanted.items() if key in found]
    free = [
        [span for key, span in own.items() if key not in other] for own, other in ((wanted, found), (found, wanted))
    ]
    pairs = [
        (_step(own, its), -_shared(own, its), own.place, its.place, own, its)
        for own in free[0]
        for its in free[1]
        if own.start < its.end and its.start < own.end
    ]
    taken: tuple[set[int], set[int]] = (set(), set())
    for *_, own, its in sorted(pairs, key=lambda pair: pair[:4]):
        if id(own) not in taken[0] and id(its) not in taken[1]:
            judged.append(Judgement(_kind(own, its), own, its))
            taken[0].add(id(own))
            taken[1].add(id(its))
    judged += [Judgement(Kind.MISSED, span, None) for span in free[0] if id(span) not in taken[0]]
    judged += [Judgement(Kind.SPURIOUS, None, span) for span in free[1] if id(span) not in taken[1]]
    return sorted(judged, key=lambda each: (each.gold or each.predicted or Span(0, 0, "")).place)


def _located(document: str, number: int, section: Section, judgement: Judgement) -> Mistake:
    spans = [span for span in (judgement.gold, judgement.predicted) if span]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    return Mistake(
        document=document,
        section=number,
        section_name=section.name,
        judgement=judgement,
        before=section.text[max(0, start - CONTEXT) : start],
        text=section.text[start:end],
        after=section.text[end : end + CONTEXT],
        cut=(start > CONTEXT, end + CONTEXT < len(section.text)),
    )


def _different(section: Section) -> dict[tuple[int, int, str], Span]:
    """Each entity once, with its best score."""
    return {span.place: span for span in sorted(section.spans, key=lambda span: span.score)}


def _step(gold: Span, predicted: Span) -> int:
    if (gold.start, gold.end) == (predicted.start, predicted.end):
        return 0
    return 1 if gold.label == predicted.label else 2


def _shared(gold: Span, predicted: Span) -> float:
    """The share of characters that both cover of those that either covers."""
    common = min(gold.end, predicted.end) - max(gold.start, predicted.start)
    return common / (max(gold.end, predicted.end) - min(gold.start, predicted.start))


def _kind(gold: Span, predicted: Span) -> Kind:
    step = _step(gold, predicted)
    if step != 1:
        return Kind.BOTH if step else Kind.CLASS
    if predicted.start <= gold.start and gold.end <= predicted.end:
        return Kind.TOO_LONG
    return Kind.TOO_SHORT if gold.start <= predicted.start and predicted.end <= gold.end else Kind.SHIFTED
