"""Answers that cannot but keep to their schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.base_llm.chat import PLAIN, ChatForm
from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.base_llm.forced_json import ForcedJson
from kazu_distill.base_llm.vocabulary import add, missing
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from tests.base_llm.questions import TEXTS
from tests.base_llm.tiny import llama_tokenizer, t5_tokenizer

_CLASSES = Schema(name="test", classes={"gene": {}, 'a "b"\\c': {}, "Krankheit/ä, β": {}})
_SPARE = 40  # scores that belong to no token


def byte_pairs() -> ChatForm:
    return ChatForm(llama_tokenizer(TEXTS))


def sentence_pieces() -> ChatForm:
    """As Llama 2 and Mistral have them: a mark for spaces, one before each text, and bytes for what is not known."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([*TEXTS, '{}[]":, \\ ab'], trainer)
    # The trainer would have bytes be special, and they would be lost in reading.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if not token["content"].startswith("<0x")]
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(json.dumps(state)), eos_token="</s>", bos_token="<s>", unk_token="<unk>"
    )
    return ChatForm(fast, template=PLAIN)


def unigrams() -> ChatForm:
    """As T5 has them, with what it cannot write added, as tuning does."""
    tokenizer = t5_tokenizer(TEXTS)
    add(tokenizer, missing(tokenizer, ['{}[]":,\\', json.dumps(_CLASSES.labels, ensure_ascii=False)]))
    return ChatForm(tokenizer, template=PLAIN, whole=True)


FORMS: dict[str, Callable[[], ChatForm]] = {
    "byte pairs": byte_pairs,
    "sentence pieces": sentence_pieces,
    "unigrams": unigrams,
}


@cache
def forced(name: str) -> tuple[ChatForm, ForcedJson, int]:
    form = FORMS[name]()
    vocabulary = len(form.tokenizer) + _SPARE
    return form, ForcedJson(form, vocabulary=vocabulary, ends=[form.end]), vocabulary


def wander(name: str, schema: dict[str, Any], seed: int, most: int) -> tuple[str, bool]:
    """What a model without any idea writes, and whether it ended; closing marks are a little likelier."""
    form, force, vocabulary = forced(name)
    process = force.processor([schema, {}])
    generator = torch.Generator().manual_seed(seed)
    closing = [token for token in range(len(form.tokenizer)) if set(form.text([token])) & set('"}]')]
    rows: list[list[int]] = [[], []]
    for _ in range(most):
        scores = torch.randn(2, vocabulary, generator=generator)
        scores[:, closing] += 3
        free = scores[1].clone()
        scores = process(torch.tensor(rows if rows[0] else [[0], [0]]), scores)
        assert scores[1].equal(free)  # a row without a schema says what it likes
        token = int(scores[0].argmax())
        if token == form.end:
            return form.text(rows[0]), True
        rows = [[*rows[0], token], [*rows[1], int(scores[1].argmax())]]
    return form.text(rows[0]), False


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("style", [JsonList(), ClassLists(), ClassLists(form="short")])
def test_whatever_is_written_keeps_to_the_schema(name: str, style: Any) -> None:
    ended = 0
    for seed in range(12):
        text, is_whole = wander(name, style.answer_schema(_CLASSES), seed, 400)
        ended += is_whole
        if not is_whole:
            continue
        answer = json.loads(text)
        if isinstance(style, JsonList):
            assert list(answer) == ["entities"]
            assert all(list(each) == ["entity_match", "entity_class"] for each in answer["entities"])
            assert {each["entity_class"] for each in answer["entities"]} <= set(_CLASSES.labels)
            assert all(isinstance(each["entity_match"], str) for each in answer["entities"])
        else:
            assert set(answer) <= set(_CLASSES.labels)
            assert style.answer_schema(_CLASSES)["required"] in ([], list(answer))
            assert all(isinstance(text, str) for texts in answer.values() for text in texts)
    assert ended >= 6


def is_possible(name: str, answer: str, schema: dict[str, Any]) -> bool:
    """Whether each token of an answer, as it is taught, and then its end are possible."""
    form, force, vocabulary = forced(name)
    process, before = force.processor([schema]), 0
    for token in form.answer(answer):
        scores = process(torch.tensor([[before]]), torch.zeros(1, vocabulary))
        if scores[0, token] != 0:
            return False
        before = token
    return True


_SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from(_CLASSES.labels)), max_size=3)


@settings(max_examples=100)
@given(
    st.sampled_from(["byte pairs", "sentence pieces"]),  # which can write every text
    st.text(st.characters(codec="utf-8"), min_size=40, max_size=60),
    _SPANS,
    st.sampled_from(["full", "short", "list"]),
)
def test_what_is_taught_can_be_written(name: str, text: str, spans: list[tuple[int, int, str]], shape: str) -> None:
    style: Any = JsonList() if shape == "list" else ClassLists(form=shape)
    answer = style.render(text, [Span(start, start + length, label) for start, length, label in spans], _CLASSES)
    assert is_possible(name, answer, style.answer_schema(_CLASSES))


@pytest.mark.parametrize(
    "answer",
    [
        '{"entities": [{"entity_match": "EGFR", "entity_class": "protein"}]}',
        '{"entities": [{"entity_class": "gene", "entity_match": "EGFR"}]}',
        '{"entities": [{"entity_match": "EGFR", "entity_class": "gene", "certain": true}]}',
        '{"entities": []} ',
        '{\n"entities": []}',
        '{"entities": [',
        "[]",
    ],
)
def test_what_is_not_asked_for_cannot_be_written(answer: str) -> None:
    assert not is_possible("byte pairs", answer, JsonList().answer_schema(_CLASSES))


@pytest.mark.parametrize("name", FORMS)
def test_no_special_token_stands_in_a_string(name: str) -> None:
    form, force, vocabulary = forced(name)
    process = force.processor([JsonList().answer_schema(_CLASSES)])
    begun = form.answer('{"entities": [{"entity_match": "a')[:-1]
    scores = torch.zeros(1, vocabulary)
    for length in range(len(begun) + 1):
        scores = process(torch.tensor([begun[:length] or [0]]), torch.zeros(1, vocabulary))
    possible = set((scores[0] == 0).nonzero().flatten().tolist())
    assert len(possible) > 50
    assert not possible & {*form.tokenizer.all_special_ids, *range(len(form.tokenizer), vocabulary)}
    special = {token for token, kind in form.tokenizer.added_tokens_decoder.items() if kind.special}
    assert special
    assert not possible & special


def test_a_vocabulary_without_braces_is_told_of() -> None:
    form = ChatForm(t5_tokenizer(TEXTS), template=PLAIN, whole=True)
    with pytest.raises(BaseLLMError, match=r"has no \{ \} .*llm.structured=false"):
        ForcedJson(form, vocabulary=700, ends=[form.end])


def test_without_xgrammar_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgrammar", None)
    form = byte_pairs()
    with pytest.raises(ConfigError, match=r'pip install "kazu-distill\[open-llm\]"'):
        ForcedJson(form, vocabulary=700, ends=[form.end])


def test_a_schema_is_compiled_once() -> None:
    form = byte_pairs()
    force = ForcedJson(form, vocabulary=len(form.tokenizer), ends=[form.end])
    schema = JsonList().answer_schema(_CLASSES)
    assert force._grammar(schema) is force._grammar(dict(schema))
