"""Answers of tiny models with random weights: alone and in batches, to their ends, with and without chance."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GenerationConfig

from kazu_distill.base_llm.errors import OutOfMemory
from kazu_distill.base_llm.generation import Generator, Question, Stopped
from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import FinishReason, Sampling
from tests.base_llm.questions import ANSWER_SCHEMA, SCHEMA, TEXTS, loaded, question
from tests.base_llm.tiny import tiny_llama, tiny_t5

Model = tuple[Described, Any]
GREEDY = Sampling(None, None, 8)
CHANCE = Sampling(1.0, 0.9, 12)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return loaded(tiny_llama(tmp_path_factory.mktemp("llama"), TEXTS))


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return loaded(tiny_t5(tmp_path_factory.mktemp("t5"), TEXTS))


@pytest.fixture(params=["llama", "t5"])
def model(request: pytest.FixtureRequest) -> Model:
    found: Model = request.getfixturevalue(request.param)
    return found


def prompts_of(model: Model, *lengths: int) -> list[list[int]]:
    """Questions about texts of so many words, the words all different."""
    return [model[0].form.prompt(question(" ".join(f"w{length}{n}" for n in range(length)))) for length in lengths]


def answers(model: Model, prompts: list[list[int]], sampling: Sampling, **settings: Any) -> list[tuple[Any, ...]]:
    schemas = settings.pop("schemas", ())
    generated = Generator(*model, **settings).generate(prompts, sampling, schemas=schemas)
    return [(each.text, each.finish_reason, each.input_tokens, each.output_tokens) for each in generated]


@pytest.mark.parametrize("sampling", [GREEDY, CHANCE], ids=["greedy", "chance"])
@settings(max_examples=5, deadline=None)
@given(lengths=st.lists(st.integers(0, 30), min_size=2, max_size=5), budget=st.sampled_from([1, 700, 100_000]))
def test_a_batch_answers_as_its_questions_do_alone(
    llama: Model, t5: Model, sampling: Sampling, lengths: list[int], budget: int
) -> None:
    for model in (llama, t5):
        prompts = prompts_of(model, *lengths)
        alone = [answers(model, [prompt], sampling, reuse=False)[0] for prompt in prompts]
        assert answers(model, prompts, sampling, batch_tokens=budget) == alone
        assert [asked for _, _, asked, _ in alone] == [len(prompt) for prompt in prompts]


def test_what_questions_have_in_common_is_read_once(llama: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    described, model = llama
    prompts = prompts_of(llama, 3, 9, 5)
    read: list[int] = []
    forward = model.model.forward

    def counted(*arguments: Any, **named: Any) -> Any:
        read.append(named["input_ids"].numel())
        return forward(*arguments, **named)

    whole = answers(llama, prompts, GREEDY, reuse=False)
    monkeypatch.setattr(model.model, "forward", counted)
    generator = Generator(described, model)
    for _ in range(2):
        assert [each.text for each in generator.generate(prompts, GREEDY)] == [text for text, *_ in whole]
    most = max(map(len, prompts))
    first, rest, *_ = read
    assert first > most * 0.6
    assert rest == 3 * (most - first)
    assert read.count(rest) == 2
    assert read.count(first) == 1


def test_it_stops_at_each_token_that_the_model_ends_with(llama: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    described, model = llama
    for length in range(20):
        prompts = prompts_of(llama, length)
        [(text, reason, _, _)] = answers(llama, prompts, CHANCE)
        written = [token for token in described.form.answer(text)[:-1] if len(described.form.text([token])) > 2]
        if reason is FinishReason.LENGTH and written:
            break
    end = written[-1]
    monkeypatch.setattr(model, "generation_config", GenerationConfig(eos_token_id=[1, end]))  # type: ignore[no-untyped-call]
    [(shorter, reason, *_)] = answers(llama, prompts, CHANCE)
    assert reason is FinishReason.STOP
    assert text.startswith(shorter + described.form.text([end]))


def test_what_the_models_makers_suggest_stays_out_and_stays_there(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = answers(model, prompts_of(model, 4, 9), GREEDY)
    suggested = GenerationConfig(  # type: ignore[no-untyped-call]
        repetition_penalty=50.0, do_sample=True, top_k=3, temperature=9.0, min_new_tokens=3, num_beams=2, max_length=7
    )
    monkeypatch.setattr(model[1], "generation_config", suggested)
    assert answers(model, prompts_of(model, 4, 9), GREEDY) == plain
    assert model[1].generation_config is suggested


def test_chance_gives_the_same_again_and_another_for_each_sample(model: Model) -> None:
    [prompt] = prompts_of(model, 6)
    several = [Question(prompt, {}, sample) for sample in range(4)]
    first, again = ([each.text for each in Generator(*model).answer(several, CHANCE)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 4
    assert first[2] == Generator(*model).answer([Question(prompt, {}, 2)], CHANCE)[0].text


def test_temperature_nothing_and_null_are_the_likeliest_token(model: Model) -> None:
    prompts = prompts_of(model, 3, 8)
    assert answers(model, prompts, Sampling(0.0, 0.5, 8)) == answers(model, prompts, GREEDY)


def test_forced_answers_are_whole_objects_beside_free_ones(llama: Model) -> None:
    prompts = prompts_of(llama, *range(12))
    schemas: list[dict[str, Any]] = [ANSWER_SCHEMA if n % 3 else {} for n in range(12)]
    sampling = Sampling(1.0, None, 400)
    generated = answers(llama, prompts, sampling, schemas=schemas, forced=True)
    whole = 0
    for (text, reason, _, _), schema in zip(generated, schemas, strict=True):
        if schema and reason is FinishReason.STOP:
            whole += 1
            assert text.endswith("}")
            assert {each["entity_class"] for each in json.loads(text)["entities"]} <= set(SCHEMA.labels)
        elif schema:
            assert text.startswith('{"entities": [')
    assert whole >= 4
    free = [place for place, schema in enumerate(schemas) if not schema]
    assert [generated[place] for place in free] == answers(llama, [prompts[place] for place in free], sampling)


def test_no_row_goes_beyond_the_context(tmp_path_factory: pytest.TempPathFactory) -> None:
    short = loaded(tiny_llama(tmp_path_factory.mktemp("short"), TEXTS, positions=520))
    prompts = prompts_of(short, 1, 10, 20)
    room = [520 - len(prompt) for prompt in prompts]
    assert 0 < min(room) < 100 < max(room)
    together = answers(short, prompts, Sampling(None, None, 100))
    assert [written for *_, written in together] == [min(100, each) for each in room]
    assert together == [answers(short, [prompt], Sampling(None, None, 100))[0] for prompt in prompts]


def out_of_memory(model: Any, monkeypatch: pytest.MonkeyPatch, *, rows: int, error: Exception) -> list[int]:
    """Let the model have memory for so many rows; the rows of each attempt."""
    seen: list[int] = []
    generate = model.generate

    def limited(*arguments: Any, **named: Any) -> Any:
        seen.append(len(named["input_ids"]))
        if seen[-1] > rows:
            raise error
        return generate(*arguments, **named)

    monkeypatch.setattr(model, "generate", limited)
    return seen


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: 99 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
        MemoryError(),
    ],
)
def test_a_batch_that_is_too_large_is_halved_and_so_are_those_after_it(
    model: Model, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    prompts = prompts_of(model, *range(6))
    whole = answers(model, prompts, GREEDY)
    seen = out_of_memory(model[1], monkeypatch, rows=2, error=error)
    generator = Generator(*model)
    assert [each.text for each in generator.generate(prompts, GREEDY)] == [text for text, *_ in whole]
    assert seen[0] == 6
    attempts = len(seen)
    generator.generate(prompts, GREEDY)
    assert max(seen[attempts:]) <= 3


def test_where_not_one_question_fits_it_is_said_what_to_lower(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory(model[1], monkeypatch, rows=0, error=torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(OutOfMemory, match=r"question of .* tokens: lower llm.max_output_tokens, chunks.tokens"):
        Generator(*model).generate(prompts_of(model, 3, 4), GREEDY)


def test_another_error_is_not_taken_for_it(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory(model[1], monkeypatch, rows=0, error=RuntimeError("mat1 and mat2 shapes"))
    with pytest.raises(RuntimeError, match="mat1"):
        Generator(*model).generate(prompts_of(model, 3, 4), GREEDY)


def test_it_stops_between_two_tokens_when_it_is_told_to(model: Model) -> None:
    generator = Generator(*model)
    threading.Timer(0.3, generator.stopped.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        generator.generate(prompts_of(model, 3, 4), Sampling(None, None, 1_000_000 if model[0].is_seq2seq else 1500))
    assert time.monotonic() - begun < 30
