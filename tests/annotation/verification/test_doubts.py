"""Which spans are asked about again."""

from __future__ import annotations

from typing import Any

import pytest

from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.annotation.verification.doubts import Doubts, Reason, closest
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema

SCHEMA = Schema(
    name="test",
    classes={"drug": {"near_misses": {"treatment": "chemotherapy"}}, "treatment": {}, "gene": {}},
)
SPANS = [Span(0, 5, "drug", 1.0), Span(6, 9, "gene", 2 / 3), Span(10, 12, "gene", 1 / 3)]
STATUSES = {(0, 5, "drug"): Status.FUZZY, (6, 9, "gene"): Status.EXACT}


def reasons(doubts: Doubts) -> list[tuple[int, tuple[Reason, ...]]]:
    found = doubts.among(SPANS, STATUSES, confused=doubts.confused(SCHEMA))
    return [(doubt.span.start, doubt.reasons) for doubt in found]


def test_a_span_is_doubtful_if_its_mention_stands_otherwise_in_the_text() -> None:
    assert reasons(Doubts(statuses=["fuzzy", "part"])) == [(0, (Reason.INEXACT,))]
    assert reasons(Doubts(statuses=["case"])) == []


def test_a_span_is_doubtful_if_too_few_voters_gave_it() -> None:
    assert reasons(Doubts(votes_below=0.67)) == [(10, (Reason.FEW_VOTES,))]
    assert reasons(Doubts(votes_below=1)) == [(6, (Reason.FEW_VOTES,)), (10, (Reason.FEW_VOTES,))]


def test_a_span_is_doubtful_if_its_class_is_confused_with_others() -> None:
    assert reasons(Doubts(classes=["Drug"])) == [(0, (Reason.CONFUSED,))]
    assert Doubts(near_misses=True).confused(SCHEMA) == {"drug", "treatment"}


def test_all_the_reasons_are_told() -> None:
    doubts = Doubts(statuses=["fuzzy"], classes=["drug", "gene"], votes_below=0.5)
    assert reasons(doubts) == [
        (0, (Reason.INEXACT, Reason.CONFUSED)), (6, (Reason.CONFUSED,)), (10, (Reason.FEW_VOTES, Reason.CONFUSED)),
    ]  # fmt: skip


def test_nothing_is_doubtful_unless_something_says_so() -> None:
    assert reasons(Doubts()) == []


def test_free_types_need_not_be_known() -> None:
    assert Doubts(classes=["anything"]).confused(Schema(name="open", classes={}, ask_for="types")) == {"anything"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"statuses": ["inexact"]}, "inexact is none; choose of exact, case"),
        ({"statuses": ["not_found"]}, "not_found is none"),
        ({"votes_below": 2}, "votes_below=2"),
        ({"classes": ["cell"]}, "'cell' is not in the schema, which has drug, treatment, gene"),
    ],
)
def test_what_cannot_be_is_an_error(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Doubts(**settings).confused(SCHEMA)


def test_of_several_voters_the_one_that_found_a_span_in_the_closest_form_counts() -> None:
    place, other = (0, 5, "drug"), (6, 9, "gene")
    assert closest([{place: Status.FUZZY}, {place: Status.CASE, other: Status.PART}, {}]) == {
        place: Status.CASE,
        other: Status.PART,
    }
