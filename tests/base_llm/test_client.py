"""An open LLM in process, asked as a provider is."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from kazu_distill.base_llm.adapters import SHAPE_FILE, shape_of
from kazu_distill.base_llm.client import TransformersClient
from kazu_distill.base_llm.errors import BaseLLMError, NoChatTemplate, OtherBase
from kazu_distill.base_llm.generation import Generator
from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import (
    Answer,
    FinishReason,
    LLMError,
    NotAsked,
    NotInStore,
    Refused,
    Request,
    TooLong,
    Turn,
)
from tests.base_llm.questions import TEXTS, question
from tests.base_llm.tiny import tiny_llama, tiny_t5

QUESTIONS = [question(" ".join(f"w{n}{m}" for m in range(n)), schema={}) for n in (3, 30, 1, 12)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama") / "tiny", TEXTS)


@pytest.fixture(scope="module")
def adapter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(folder, tmp_path_factory.mktemp("tuned") / "adapter")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not any(thread.name == "kazu-distill-llm" for thread in threading.enumerate())


def save_adapter(base: Path, folder: Path, seed: int = 1) -> Path:
    """An adapter with random weights, as tuning leaves it."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    shape = shape_of(model.config)
    get_peft_model(model, LoraConfig(r=4, init_lora_weights=False)).save_pretrained(str(folder))
    BaseLLM(str(base), device="cpu").describe().form.tokenizer.save_pretrained(folder)
    (folder / SHAPE_FILE).write_text(json.dumps(shape))
    return folder


def client(folder: Path | None, **settings: Any) -> TransformersClient:
    own = {"device": "cpu", "precision": "fp32", "temperature": 0, "top_p": None, "max_output_tokens": 10}
    return TransformersClient(model=None if folder is None else str(folder), **{**own, **settings})


def asked(llm: TransformersClient, requests: Sequence[Request]) -> list[Answer]:
    """The answers to questions that come at once; an LLMError ends it."""

    async def ask() -> list[Answer]:
        try:
            return list(await asyncio.gather(*(llm.ask(request) for request in requests)))
        finally:
            await llm.close()

    return asyncio.run(ask())


def failures(llm: TransformersClient, requests: Sequence[Request]) -> list[Any]:
    async def ask() -> list[Any]:
        try:
            return list(await asyncio.gather(*(llm.ask(request) for request in requests), return_exceptions=True))
        finally:
            await llm.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("make", [tiny_llama, tiny_t5])
def test_questions_that_come_at_once_are_answered_as_one_by_one(make: Any, tmp_path: Path) -> None:
    model = make(tmp_path / "model", TEXTS)
    together = asked(client(model), QUESTIONS)
    alone = [asked(client(model, batch_tokens=1), [each])[0] for each in QUESTIONS]
    assert [each.text for each in together] == [each.text for each in alone]
    assert [each.usage for each in together] == [each.usage for each in alone]
    assert all(0 < each.usage.output_tokens <= 10 < each.usage.input_tokens for each in together)
    assert all(each.finish_reason in FinishReason and each.latency_s > 0 for each in together)


def test_they_are_answered_in_batches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    generate = LlamaForCausalLM.generate

    def counted(self: Any, **named: Any) -> Any:
        rows.append(len(named["input_ids"]))
        return generate(self, **named)

    monkeypatch.setattr(LlamaForCausalLM, "generate", counted)
    asked(client(folder), [question(f"text {n}") for n in range(20)])
    assert sum(rows) == 20
    assert max(rows) >= 10


def test_answers_with_a_schema_are_forced_into_it_unless_that_is_off(folder: Path) -> None:
    requests = [question(text) for text in TEXTS[:3]]
    settings = {"max_output_tokens": 300, "temperature": 1.0}
    for each in asked(client(folder, **settings), requests):
        assert each.text.startswith('{"entities": [')
        assert each.finish_reason is FinishReason.LENGTH or "entities" in json.loads(each.text)
    for each in asked(client(folder, structured=False, **settings), requests):
        assert not each.text.startswith('{"entities"')


def test_the_loop_lives_while_answers_are_written(folder: Path) -> None:
    async def ask() -> int:
        llm, ticks = client(folder, max_output_tokens=400), 0
        answers = asyncio.gather(*(llm.ask(each) for each in QUESTIONS))
        while not answers.done():
            await asyncio.sleep(0.005)
            ticks += 1
        await llm.close()
        return ticks

    assert asyncio.run(ask()) > 20


def test_closing_ends_what_is_being_written(tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        llm = client(tiny_t5(tmp_path, TEXTS), max_output_tokens=1_000_000)  # more than a test can wait for
        tasks = [asyncio.ensure_future(llm.ask(each)) for each in QUESTIONS]
        while not llm._worker._generator:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        await llm.close()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert all(isinstance(answer, NotAsked) for answer in asyncio.run(ask()))


def test_who_no_longer_waits_is_left_out_and_the_others_are_answered(folder: Path) -> None:
    async def ask() -> Answer:
        llm = client(folder)
        tasks = [asyncio.ensure_future(llm.ask(each)) for each in QUESTIONS]
        await asyncio.sleep(0)
        for task in tasks[1:]:
            task.cancel()
        answer = await tasks[0]
        assert all(task.cancelled() for task in tasks[1:])
        await llm.close()
        return answer

    assert asyncio.run(ask()).text == asked(client(folder), QUESTIONS[:1])[0].text


def test_it_can_be_closed_without_being_asked_and_is_not_asked_once_closed(folder: Path) -> None:
    async def ask() -> None:
        llm = client(folder)
        await llm.close()
        with pytest.raises(NotAsked):
            await llm.ask(QUESTIONS[0])

    asyncio.run(ask())


def test_weights_that_cannot_be_loaded_end_the_run(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "model.safetensors").unlink()
    errors = failures(client(broken), QUESTIONS)
    assert all(isinstance(error, Refused) and error.fatal and "cannot be loaded" in str(error) for error in errors)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "lower llm.max_output_tokens, chunks.tokens"),
        (RuntimeError("CUDA error: device-side assert\ntriggered"), "cannot be asked: RuntimeError: CUDA error"),
    ],
)
def test_an_error_that_all_would_meet_reaches_all_who_wait_and_who_come(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise error

    async def ask() -> list[Any]:
        llm = client(folder)
        first = await asyncio.gather(*(llm.ask(each) for each in QUESTIONS), return_exceptions=True)
        late = await asyncio.gather(llm.ask(QUESTIONS[0]), return_exceptions=True)
        await llm.close()
        return [*first, *late]

    monkeypatch.setattr(LlamaForCausalLM, "generate", failing)
    errors = asyncio.run(ask())
    assert len(errors) == 5
    assert all(isinstance(each, Refused) and said in str(each) and "\n" not in str(each) for each in errors)


def test_a_question_that_leaves_no_room_for_an_answer_is_too_long_and_alone_in_that(tmp_path: Path) -> None:
    short = tiny_llama(tmp_path, TEXTS, positions=512)
    long = question("ibuprofen " * 200, schema={})
    first, second = failures(client(short), [long, QUESTIONS[0]])
    assert isinstance(first, TooLong)
    assert "reads 512 with the answer" in str(first)
    assert isinstance(second, Answer)


def test_an_adapter_answers_otherwise_and_its_base_need_not_be_named(folder: Path, adapter: Path) -> None:
    base, tuned, unnamed = (
        [each.text for each in asked(llm, QUESTIONS)]
        for llm in (client(folder), client(folder, adapter=str(adapter)), client(None, adapter=str(adapter)))
    )
    assert tuned == unnamed
    assert tuned != base


def test_the_identity_says_which_weights_answer(folder: Path, adapter: Path, tmp_path: Path) -> None:
    def identity(model: Path | None = folder, **settings: Any) -> str:
        return json.dumps(client(model, offline=True, **settings).identity, sort_keys=True)

    template = tmp_path / "template.jinja"
    template.write_text("{{ messages }}")
    others = [
        identity(),
        identity(adapter=str(adapter)),
        identity(tiny_llama(tmp_path / "other" / "tiny", TEXTS, seed=2)),
        identity(precision="bf16"),
        identity(load_in_4bit=True),
        identity(temperature=0.5),
        identity(temperature=0.5, top_p=0.9),
        identity(max_output_tokens=11),
        identity(structured=False),
        identity(chat_template="plain"),
        identity(chat_template=str(template)),
        identity(template_arguments={"enable_thinking": False}),
    ]
    assert len(set(others)) == len(others)
    assert client(folder).identity == json.loads(identity())  # offline finds what was answered online
    moved = Path(shutil.copytree(folder, tmp_path / "moved" / "tiny"))
    assert identity(moved) == identity()
    assert str(folder.parent) not in identity()
    assert identity(temperature=None, top_p=0.9) == identity(temperature=0, top_p=None)
    before = identity(adapter=str(moved_adapter := Path(shutil.copytree(adapter, tmp_path / "adapter"))))
    save_adapter(folder, moved_adapter, seed=2)
    assert identity(adapter=str(moved_adapter)) != before


def test_offline_nothing_is_loaded_or_asked() -> None:
    llm = client(Path("nobody/has-this"), offline=True)
    assert llm.remarks() == []
    with pytest.raises(NotInStore):
        asked(llm, QUESTIONS[:1])


def test_what_it_takes_is_said_before_it_is_loaded(folder: Path) -> None:
    [needs] = client(folder).remarks()
    assert "tiny needs about 0.1 GB: weights 0.0, cache" in needs
    _, fits = client(folder, batch_tokens=10**12).remarks()
    assert "it will hardly fit; lower llm.batch_tokens, or" in fits


def test_what_is_wrong_with_a_model_is_said_in_a_line(folder: Path, adapter: Path, tmp_path: Path) -> None:
    wrong: list[tuple[type[Exception], str, Any]] = [
        (ConfigError, "llm.model is not set", lambda: client(None)),
        (BaseLLMError, "nobody/has-this cannot be loaded", lambda: client(Path("nobody/has-this"))),
        (NoChatTemplate, "no chat template", lambda: client(tiny_llama(tmp_path / "a", TEXTS, template=None))),
        (BaseLLMError, "is no adapter", lambda: client(None, adapter=str(folder))),
        (BaseLLMError, "there is no such folder", lambda: client(folder, adapter=str(tmp_path / "none"))),
        (
            OtherBase,
            "was made for .* give the model that it was made for",
            lambda: client(tiny_llama(tmp_path / "b", TEXTS, hidden=32), adapter=str(adapter)),
        ),
        (ConfigError, "load_in_4bit=true needs CUDA", lambda: client(folder, load_in_4bit=True)),
        (ConfigError, "device=tpu", lambda: client(folder, device="tpu")),
        (ConfigError, "chat_template=none.jinja", lambda: client(folder, chat_template="none.jinja")),
        (ConfigError, "llm.batch_tokens=0", lambda: client(folder, batch_tokens=0)),
        (ConfigError, "llm.max_output_tokens=0.5", lambda: client(folder, max_output_tokens=0.5)),
    ]
    for kind, said, make in wrong:
        with pytest.raises(kind, match=said) as caught:
            make()
        assert "\n" not in str(caught.value)


def test_a_vocabulary_that_cannot_write_json_is_refused(tmp_path: Path) -> None:
    [error] = failures(client(tiny_t5(tmp_path, TEXTS)), [question("EGFR")])
    assert isinstance(error, Refused)
    assert "cannot write JSON: set llm.structured=false" in str(error)


def test_a_tokenizer_without_a_padding_token_is_as_good(tmp_path: Path) -> None:
    model = tiny_llama(tmp_path, TEXTS, padding=False)
    together = [each.text for each in asked(client(model), QUESTIONS)]
    assert together == [asked(client(model), [each])[0].text for each in QUESTIONS]


def test_a_question_that_the_template_does_not_take_is_rejected(folder: Path, tmp_path: Path) -> None:
    template = tmp_path / "strict.jinja"
    template.write_text(
        "{% if messages | length > 3 %}{{ raise_exception('no examples') }}{% endif %}{{ messages }}<|eot_id|>"
    )
    long = Request("s", "u", {}, earlier=(Turn("user", "a"), Turn("assistant", "b")))
    [error, answer] = failures(client(folder, chat_template=str(template)), [long, QUESTIONS[0]])
    assert isinstance(error, LLMError)
    assert not error.fatal
    assert "does not take the question: no examples" in str(error)
    assert isinstance(answer, Answer)


def test_the_generator_is_given_back(folder: Path) -> None:
    made: list[weakref.ref[Generator]] = []

    async def ask() -> None:
        llm = client(folder)
        await llm.ask(QUESTIONS[0])
        assert llm._worker._generator is not None
        made.append(weakref.ref(llm._worker._generator))
        await llm.close()
        gc.collect()
        assert made[0]() is None

    asyncio.run(ask())
