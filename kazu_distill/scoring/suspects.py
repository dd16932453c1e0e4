"""Labels that are probably wrong: where a student that has not seen a document disagrees with what it is labelled with.

A disagreement is one of the mistakes of ``kazu_distill.scoring.mistakes``, with the labels for gold: a label that the
student does not find, a span that it finds where no label is, or both over common characters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from kazu_distill.documents import SUSPECTS, Document, Span
from kazu_distill.scoring import mistakes
from kazu_distill.scoring.mistakes import Mistake, analyse
from kazu_distill.scoring.pairs import paired

_String: TypeAlias = tuple[str, str]  # a mention, case aside, and a class


class Kind(StrEnum):
    """What is suspected of a label, or of the lack of one."""

    DOUBTED = "doubted"
    MISSING = "missing"
    EDGES = "other edges"
    CLASS = "other class"


_KINDS = {
    mistakes.Kind.MISSED: Kind.DOUBTED,
    mistakes.Kind.SPURIOUS: Kind.MISSING,
    mistakes.Kind.TOO_LONG: Kind.EDGES,
    mistakes.Kind.TOO_SHORT: Kind.EDGES,
    mistakes.Kind.SHIFTED: Kind.EDGES,
    mistakes.Kind.CLASS: Kind.CLASS,
    mistakes.Kind.BOTH: Kind.CLASS,
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A disagreement.

    Args:
        kind: what is suspected.
        strength: how strong both are in it, 0 to 1; see ``suspects``.
        label: the silver span with its own score; None where one is missing.
        sureness: the student's of the label as it stands, 0 to 1; None without a label.
        student: what the student finds there, its score the student's sureness; None where it finds nothing.
        mistake: where it is, with the text around it.
    """

    kind: Kind
    strength: float
    label: Span | None
    sureness: float | None
    student: Span | None
    mistake: Mistake

    def as_json(self) -> dict[str, Any]:
        """For a file of its own: where it is, and both spans with their texts and the text around them."""
        where = self.mistake
        texts = [span and {"text": where.mention(span)} for span in (self.label, self.student)]
        spans = self.spans_as_json()
        for side, text in zip(("label_span", "student_span"), texts, strict=True):
            spans[side] = spans[side] and spans[side] | text
        return {
            "document": where.document,
            "section": where.section,
            "section_name": where.section_name,
            **spans,
            "before": where.before,
            "text": where.text,
            "after": where.after,
        }

    def spans_as_json(self) -> dict[str, Any]:
        """For the metadata of its document."""
        return {
            "kind": self.kind.value,
            "strength": self.strength,
            "label_span": _as_json(self.label),
            "student_of_label": self.sureness,
            "student_span": _as_json(self.student),
        }


def suspects(
    silver: Sequence[Document], given: Sequence[Document], found: Sequence[Document], labels: Sequence[str]
) -> list[Suspect]:
    """Every disagreement, strongest first; of equals in the order of the documents.

    The strength of one that has a label is the label's own score (such as its share of votes) times the student's doubt
    that it is a span as it stands. Where a label is missing it is the student's sureness of its span times how usual it
    is that this string is labelled: the share of labels among the places where a label or, alone, the student has it in
    that class. A student learns from its teacher's habits, bad ones among them; but a string that the teacher labels
    elsewhere was rather overlooked than one that it never labels.

    Args:
        silver: documents with labels.
        given: the same with the student's sureness of each label for its score.
        found: the same with the spans that the student finds, their scores the student's sureness.
        labels: the classes.

    Raises:
        ScoringError: these are not the same documents; the message names one.
    """
    sure = {
        (document.id, number, span.place): span.score
        for document, _ in paired(given, silver)
        for number, section in enumerate(document.sections)
        for span in section.spans
    }
    disagreements = analyse(paired(silver, found), labels).mistakes
    usual = _usual(silver, disagreements)
    listed = []
    for mistake in disagreements:
        label, student = mistake.judgement.gold, mistake.judgement.predicted
        sureness = sure[mistake.document, mistake.section, label.place] if label else None
        if label and sureness is not None:
            strength = label.score * (1 - sureness)
        else:
            assert student is not None
            strength = student.score * usual[_string(mistake.mention(student), student)]
        listed.append(Suspect(_KINDS[mistake.judgement.kind], strength, label, sureness, student, mistake))
    return sorted(listed, key=lambda suspect: -suspect.strength)


def _usual(silver: Sequence[Document], disagreements: Sequence[Mistake]) -> dict[_String, float]:
    """How usual a label is for each string and class; a half where there is no evidence, and near it where is little.

    Labels count as much as their scores say.
    """
    labelled: defaultdict[_String, float] = defaultdict(float)
    for document in silver:
        for section, span in document.spans:
            labelled[_string(section.mention(span), span)] += span.score
    alone = Counter(
        _string(mistake.mention(mistake.judgement.predicted), mistake.judgement.predicted)
        for mistake in disagreements
        if mistake.judgement.predicted and not mistake.judgement.gold
    )
    return {string: (labelled[string] + 0.5) / (labelled[string] + count + 1) for string, count in alone.items()}


def _string(mention: str, span: Span) -> _String:
    return " ".join(mention.split()).casefold(), span.label


def to_review(silver: Sequence[Document], ranked: Sequence[Suspect]) -> list[Document]:
    """The documents in the order in which they are worth a reviewer's time, their suspects in their metadata.

    A reviewer corrects a whole document, so its score is the sum of the strengths of its suspects: about how many
    corrections it needs. Labels stay as they are. Documents without a suspect come last, with the score 0; of equals
    the first comes first. Metadata gets, under ``suspects``::

        {"score": 2.5, "sections": [[{"kind", "strength", "label_span", "student_of_label", "student_span"}, …], …]}

    with a list for each section, strongest suspect first. ``kind`` is "doubted" (a label where the student finds
    nothing), "missing" (it finds a span where no label is), "other edges" or "other class". ``label_span`` is the
    label, ``{"start", "end", "label", "score"}``, or null if missing; ``student_of_label``, 0 to 1, is how sure the
    student is of it, or null; ``student_span`` is what the student finds, its score being the student's sureness, or
    null if doubted.
    """
    own: dict[str, list[Suspect]] = {document.id: [] for document in silver}
    for suspect in ranked:
        own[suspect.mistake.document].append(suspect)
    marked = []
    scores = {}
    for document in silver:
        sections: list[list[dict[str, Any]]] = [[] for _ in document.sections]
        for suspect in own[document.id]:
            sections[suspect.mistake.section].append(suspect.spans_as_json())
        scores[document.id] = sum((suspect.strength for suspect in own[document.id]), 0.0)
        said = {"score": scores[document.id], "sections": sections}
        marked.append(replace(document, metadata={**document.metadata, SUSPECTS: said}))
    return sorted(marked, key=lambda document: -scores[document.id])


def _as_json(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
