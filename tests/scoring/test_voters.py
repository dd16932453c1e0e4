"""Each voter is scored by its own labels, and against the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kazu_distill.documents import VOTES, Document
from kazu_distill.scoring.pairs import ScoringError
from kazu_distill.scoring.voters import score_voters
from tests.scoring.labelled import LABELS, document

FIRST, OTHER = {"start": 0, "end": 2, "label": "x"}, {"start": 4, "end": 6, "label": LABELS[0]}


def voted(votes: Any) -> Document:
    """A document whose votes are these."""
    return replace(document("a", [(0, 2, "x")]), metadata={VOTES: votes})


def test_voters_are_scored_against_gold_and_each_other() -> None:
    gold = document("a", [(0, 2, "x"), (4, 6, LABELS[0])])
    votes = {"few": [[FIRST]], "all": [[FIRST, OTHER]], "wrong": [[{**OTHER, "label": "x"}]]}
    voters = score_voters([(gold, voted(votes))], LABELS)
    assert voters
    assert [(each.voter, each.documents, each.metrics["micro_f1"]) for each in voters.scores] == [
        ("all", 1, 1.0),
        ("few", 1, pytest.approx(2 / 3)),
        ("wrong", 1, 0.0),
    ]
    found = voters.as_json()
    assert found["voters"]["few"]["x_recall"] == 1.0
    assert {tuple(pair["voters"]): pair["f1"] for pair in found["agreement"]} == {
        ("all", "few"): pytest.approx(2 / 3), ("all", "wrong"): 0.0, ("few", "wrong"): 0.0,
    }  # fmt: skip
    assert found["agreement"][0]["f1_per_class"] == {LABELS[0]: 0.0, "x": 1.0}


def test_a_voter_is_scored_where_it_has_voted() -> None:
    gold = [document("a", [(0, 2, "x")]), replace(document("b", [(0, 2, "x")]))]
    predicted = [voted({"one": [[FIRST]], "two": [[]]}), replace(voted({"one": [[FIRST]]}), id="b")]
    voters = score_voters(list(zip(gold, predicted, strict=True)), LABELS)
    assert voters
    assert {each.voter: each.documents for each in voters.scores} == {"one": 2, "two": 1}


@pytest.mark.parametrize("votes", [None, 5, [], {}, {"a": 3}, {"a": [[FIRST], []]}])
def test_metadata_of_that_name_that_is_no_votes_makes_no_voters(votes: Any) -> None:
    assert score_voters([(document("a", []), voted(votes))], LABELS) is None


@pytest.mark.parametrize(
    "vote", [{"start": 8, "end": 11, "label": "x"}, {"start": 0, "end": 2}, {"start": "0", "end": 2, "label": "x"}, 7]
)
def test_a_vote_that_is_no_span_is_an_error_that_names_document_and_voter(vote: Any) -> None:
    with pytest.raises(ScoringError, match='document "a": the votes of "llm" are no spans of its text'):
        score_voters([(document("a", []), voted({"llm": [[vote]]}))], LABELS)


def test_a_class_that_is_not_in_the_schema_is_an_error() -> None:
    with pytest.raises(ScoringError, match='class "y"'):
        score_voters([(document("a", []), voted({"llm": [[{**FIRST, "label": "y"}]]}))], LABELS)
