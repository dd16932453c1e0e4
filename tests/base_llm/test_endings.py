"""Where answers end."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazu_distill.base_llm.chat import ChatForm
from kazu_distill.base_llm.endings import Endings, TokenTexts
from kazu_distill.llm.protocol import FinishReason
from tests.base_llm.questions import TEXTS
from tests.base_llm.tiny import llama_tokenizer

_TEXT = st.text(st.sampled_from('abé🧬 {}[]":,\\\n'), max_size=12)
_VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(_TEXT, _VALUES, max_size=3)


@pytest.fixture(scope="module")
def form() -> ChatForm:
    tokenizer: Any = llama_tokenizer(TEXTS)
    return ChatForm(tokenizer)


def endings_of(form: ChatForm, *limits: int, is_object: bool = True, stopped: threading.Event | None = None) -> Endings:
    return Endings(
        ends=frozenset({form.end}),
        limits=limits,
        objects=[is_object] * len(limits),
        texts=TokenTexts(form.text),
        stopped=stopped or threading.Event(),
    )


def fed(endings: Endings, tokens: list[int]) -> int:
    """How many tokens it takes until the only row is done; all of them, if it is not."""
    for number, token in enumerate(tokens, start=1):
        if bool(endings(torch.tensor([[0, token]]), None).all()):
            return number
    return len(tokens)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_OBJECTS, st.sampled_from(["", "\n", " ", "```", "}", '{"a": 1}']))
def test_an_answer_ends_where_its_object_is_whole_and_not_before(
    form: ChatForm, value: dict[str, Any], behind: str
) -> None:
    written = json.dumps(value, ensure_ascii=False)
    tokens = form.answer(written)[:-1]
    endings = endings_of(form, 10_000)
    fed(endings, [*tokens, *form.answer(behind)])
    assert form.text(endings.answers[0]).startswith(written)
    assert endings.finished == [FinishReason.STOP]
    # Braces in strings may hide the end of the object; for nothing else is a token taken behind it.
    if not any(brace in text for text in strings_of(value) for brace in "{}"):
        assert endings.written == [len(tokens)]


def strings_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for each in value.values() for text in strings_of(each))]
    if isinstance(value, list):
        return [text for each in value for text in strings_of(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    "text",
    [
        'Here is {} and {"entities": []}, as you asked.',  # what is said around it is not taken for an end
        '{"entities": [{"entity_match": "5" end}"}]}',  # a quote that should have been escaped
        '[{"entity_match": "EGFR"}, {"entity_match": "TP53"}]',
        '<think>{"entities": []}</think>{"entities": []}',
    ],
)
def test_what_is_no_object_goes_on_to_its_end(form: ChatForm, text: str) -> None:
    endings = endings_of(form, 10_000)
    tokens = form.answer(text)
    assert fed(endings, tokens) == len(tokens)
    assert form.text(endings.answers[0]) == text
    assert endings.finished == [FinishReason.STOP]


def test_plain_text_ends_with_the_token_for_it_alone(form: ChatForm) -> None:
    tokens = form.answer('{"a": 1} {"b": 2}')
    assert fed(endings_of(form, 10_000, is_object=False), tokens) == len(tokens)


def test_each_row_has_a_limit_of_its_own_and_counts_what_it_was_given(form: ChatForm) -> None:
    endings = endings_of(form, 2, 4, 9)
    token, end = form.answer("a")
    done = [endings(torch.tensor([[token], [token], [end if n == 2 else token]]), None).tolist() for n in range(4)]
    assert done == [[False] * 3, [True, False, False], [True, False, True], [True] * 3]
    assert endings.finished == [FinishReason.LENGTH, FinishReason.LENGTH, FinishReason.STOP]
    assert endings.written == [2, 4, 3]
    assert endings.answers == [[token] * 2, [token] * 4, [token] * 2]


def test_all_end_when_it_is_told_to_stop(form: ChatForm) -> None:
    stopped = threading.Event()
    endings = endings_of(form, 9, 9, stopped=stopped)
    token = form.answer("a")[0]
    assert not endings(torch.tensor([[token]] * 2), None).any()
    stopped.set()
    assert endings(torch.tensor([[token]] * 2), None).all()
