"""Several voters on the same documents: each against gold, and each against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kazu_distill.agreement import Agreement
from kazu_distill.documents import VOTES, Document, InvalidDocument, Span
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import Pair, ScoringError
from kazu_distill.scoring.tally import strict_counts


@dataclass(frozen=True, slots=True)
class VoterScore:
    """A voter's own labels against gold, in the documents in which it has voted; strict figures."""

    voter: str
    documents: int
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Voters:
    """What voters reach, the best first, and how far every two agree (records of ``Agreement``)."""

    labels: tuple[str, ...]
    scores: Sequence[VoterScore]
    agreement: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Figures of each voter and of each two."""
        return {
            "voters": {each.voter: {"documents": each.documents, **each.metrics} for each in self.scores},
            "agreement": [dict(each) for each in self.agreement],
        }


def score_voters(pairs: Sequence[Pair], labels: Sequence[str]) -> Voters | None:
    """Score the voters whose votes the predicted documents carry; None where none does.

    Raises:
        ScoringError: a vote is no span of its text, or its class is not in ``labels``.
    """
    agreement = Agreement()
    by_voter: dict[str, list[Pair]] = {}
    for gold, predicted in pairs:
        votes = _votes(predicted)
        agreement.add({voter: [section.spans for section in own.sections] for voter, own in votes.items()})
        for voter, own in votes.items():
            by_voter.setdefault(voter, []).append((gold, own))
    if not by_voter:
        return None
    scores = [
        VoterScore(voter, len(own), metrics_of(strict_counts(own, labels))) for voter, own in sorted(by_voter.items())
    ]
    scores.sort(key=lambda each: each.metrics["micro_f1"] or 0.0, reverse=True)
    return Voters(tuple(labels), scores, agreement.as_records())


def _votes(document: Document) -> dict[str, Document]:
    """The document as each of its voters labelled it; metadata of that name that has another form is not ours."""
    votes = document.metadata.get(VOTES)
    if not isinstance(votes, Mapping):
        return {}
    return {
        str(voter): _as_voted(document, str(voter), sections)
        for voter, sections in votes.items()
        if isinstance(sections, list) and len(sections) == len(document.sections)
    }


def _as_voted(document: Document, voter: str, sections: Sequence[Any]) -> Document:
    try:
        spans = [
            tuple(Span(each["start"], each["end"], each["label"], source=voter) for each in own) for own in sections
        ]
        return document.with_spans(spans)
    except (InvalidDocument, KeyError, TypeError) as error:
        raise ScoringError(f'document "{document.id}": the votes of "{voter}" are no spans of its text: {error}') from (
            error
        )
