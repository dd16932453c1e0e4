"""The classification report of the seqeval package, for people who know that table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from kazu_distill.documents import Section
from kazu_distill.scoring.pairs import Pair

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SeqevalReport:
    """``text`` is the table; the counts say how many spans no tag sequence can express, and so are not in it."""

    text: str
    gold_left_out: int
    predicted_left_out: int


def seqeval_report(pairs: Iterable[Pair], labels: Sequence[str]) -> SeqevalReport:
    """seqeval's report (strict mode, IOB2) over the spans of the pairs.

    seqeval compares tag sequences, where a token has one tag. So each class gets a sequence of its own in each section,
    and its tokens are the stretches between all edges of the class's gold and predicted spans: a span then covers whole
    tokens, and two are equal for seqeval exactly if they are equal here. What cannot be expressed are spans of one
    class and one side that overlap; the first (the longer of two that begin together) stays, the others are left out
    and counted. A span that a section has twice counts once.
    """
    gold_tags: list[list[str]] = []
    predicted_tags: list[list[str]] = []
    left_out = [0, 0]
    for gold, predicted in pairs:
        for sections in zip(gold.sections, predicted.sections, strict=True):
            for label in labels:
                places = [_places(section, label) for section in sections]
                flat = [_without_overlaps(each) for each in places]
                for side in (0, 1):
                    left_out[side] += len(places[side]) - len(flat[side])
                edges = sorted({edge for side in flat for place in side for edge in place})
                if edges:
                    gold_tags.append(_tags(flat[0], edges, label))
                    predicted_tags.append(_tags(flat[1], edges, label))
    if not gold_tags:
        return SeqevalReport("no entities, neither in gold nor predicted", 0, 0)
    text = classification_report(gold_tags, predicted_tags, mode="strict", scheme=IOB2, digits=4, zero_division=0)
    return SeqevalReport(text, left_out[0], left_out[1])


def _places(section: Section, label: str) -> list[Place]:
    """Start and end of the section's spans of a class, without repetitions; the longer of two first."""
    places = {(span.start, span.end) for span in section.spans if span.label == label}
    return sorted(places, key=lambda place: (place[0], -place[1]))


def _without_overlaps(places: Sequence[Place]) -> list[Place]:
    kept: list[Place] = []
    for place in places:
        if not kept or place[0] >= kept[-1][1]:
            kept.append(place)
    return kept


def _tags(places: Sequence[Place], edges: Sequence[int], label: str) -> list[str]:
    """A tag for each stretch between two neighbouring edges."""
    token_at = {edge: token for token, edge in enumerate(edges)}
    tags = ["O"] * (len(edges) - 1)
    for start, end in places:
        first, last = token_at[start], token_at[end]
        tags[first:last] = [f"B-{label}"] + [f"I-{label}"] * (last - first - 1)
    return tags
