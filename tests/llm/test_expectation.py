"""What a request is expected to take."""

from __future__ import annotations

from dataclasses import replace

from kazu_distill.llm.expectation import Expectation
from kazu_distill.llm.protocol import Turn, Usage
from tests.llm.asking import QUESTION


def test_a_longer_question_is_expected_to_take_more() -> None:
    expectation = Expectation()
    short = expectation.size(QUESTION)
    long = expectation.size(replace(QUESTION, user=QUESTION.user * 100))
    shown = expectation.size(replace(QUESTION, earlier=(Turn("user", "What stood before. " * 50),)))
    assert short.asked < min(long.asked, shown.asked)
    assert short.question == shown.question < long.question
    assert expectation.likely(short) < expectation.likely(long)


def test_plain_text_may_be_longer_than_json() -> None:
    expectation = Expectation()
    structured = expectation.size(replace(QUESTION, answer_schema={"type": "object"}))
    plain = expectation.size(replace(QUESTION, answer_schema={}))
    assert expectation.upper(plain).output_tokens == 3 * expectation.upper(structured).output_tokens


def test_answers_teach_what_to_expect() -> None:
    expectation = Expectation()
    size = expectation.size(QUESTION)
    expectation.learn(size, Usage(3 * size.asked, 40))
    expectation.learn(size, Usage(size.asked, 20))
    assert expectation.upper(size) == Usage(3 * size.asked, 40)
    assert expectation.likely(size) == 3 * size.asked + 30


def test_an_answer_is_never_expected_to_be_longer_than_it_may() -> None:
    expectation = Expectation(most_output=5)
    assert expectation.upper(expectation.size(QUESTION)).output_tokens == 5


def test_a_provider_that_does_not_count_teaches_nothing() -> None:
    expectation = Expectation()
    size = expectation.size(QUESTION)
    before = expectation.upper(size)
    expectation.learn(size, Usage(0, 0))
    assert expectation.upper(size) == before
