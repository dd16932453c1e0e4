"""Verdicts are read out of whatever an LLM answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.parsing.answer import UnreadableAnswer
from kazu_distill.annotation.verification.verdicts import Scores, parse_verdicts
from kazu_distill.errors import ConfigError

said = st.dictionaries(st.integers(1, 30), st.booleans(), min_size=1)


@given(said)
def test_an_answer_as_it_was_asked_for_is_read(verdicts: dict[int, bool]) -> None:
    answers = [{"number": number, "verdict": "yes" if is_one else "no"} for number, is_one in verdicts.items()]
    assert parse_verdicts(json.dumps({"answers": answers}), range(1, 31)) == verdicts


@pytest.mark.parametrize(
    "answer",
    [
        '[{"number": 1, "verdict": "Yes"}, {"number": "2", "verdict": "NO."}]',
        '```json\n{"answers": {"1": "yes", "2": "no"}}\n```',
        '<think>{"1": "no"}</think> {"1": true, "2": false}',
        'Sure: {"number": 1, "verdict": "yes"} {"Number": 2, "Verdict": "no"}',
        '{"answers": [{"number": 1, "verdict": "yes"}, {"number": 2, "verdict": "no"}, {"number": 9, "verdict": "no"}',
        '{"answers": [{"number": 1, "verdict": "yes", "why": {"text": "x"}}, {"verdict": "no", "number": 2}]}',
    ],
)
def test_other_shapes_are_read_too(answer: str) -> None:
    assert parse_verdicts(answer, [1, 2]) == {1: True, 2: False}


def test_what_is_not_asked_contested_or_no_verdict_does_not_count() -> None:
    answers = [(1, "yes"), (1, "no"), (2, "maybe"), (3, None), (4, "no"), (99, "yes"), ("x", "yes"), (4, "no")]
    text = json.dumps({"answers": [{"number": number, "verdict": verdict} for number, verdict in answers]})
    assert parse_verdicts(text, [1, 2, 3, 4]) == {4: False}


@pytest.mark.parametrize("answer", ["", "Yes.", "[]", '{"answers": []}', '{"number": 7, "verdict": "yes"}', "<think>1"])
def test_an_answer_without_a_verdict_says_what_is_wanted(answer: str) -> None:
    with pytest.raises(UnreadableAnswer):
        parse_verdicts(answer, [1])


@given(st.text(alphabet='{}[]":, 12yesnoumbrvdict\\\ud800', max_size=80))
def test_any_answer_is_read_or_unreadable(answer: str) -> None:
    try:
        verdicts = parse_verdicts(answer, [1, 2])
    except UnreadableAnswer as error:
        str(error).encode()
    else:
        assert verdicts
        assert set(verdicts) <= {1, 2}


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_a_verdict_moves_a_score_towards_it_and_it_stays_a_score(
    confirmed: float, rejected: float, score: float, is_one: bool
) -> None:
    after = Scores(confirmed=confirmed, rejected=rejected).after(score, is_one=is_one)
    assert 0 <= after <= 1
    assert after >= max(score, confirmed) if is_one else after <= score


@pytest.mark.parametrize(("confirmed", "rejected"), [(1.1, 0.5), (0.5, -1), (True, 0.5), (0.5, float("nan"))])
def test_a_score_that_is_none_is_an_error(confirmed: float, rejected: float) -> None:
    with pytest.raises(ConfigError, match=r"verify\.scores"):
        Scores(confirmed=confirmed, rejected=rejected)
