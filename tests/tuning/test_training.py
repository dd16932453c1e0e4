"""Memory that ends, and what a run is told from another by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kazu_distill.base_llm.errors import BaseLLMError, OutOfMemory
from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.errors import ConfigError
from kazu_distill.models.early_stopping import EarlyStopping
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.answering import Answering
from kazu_distill.tuning.forecast import forecast
from kazu_distill.tuning.rows import row_of
from kazu_distill.tuning.settings import TuningSettings
from kazu_distill.tuning.training import Job, out_of_memory_explained
from tests.base_llm.tiny import tiny_llama, tiny_t5
from tests.tuning.test_loss import RECORDS, TEXTS


def settings(*, packing: bool = True, batch_tokens: int = 100, **arguments: Any) -> TuningSettings:
    return TuningSettings(
        batch_tokens=batch_tokens, packing=packing, gradient_checkpointing=False, early_stopping=EarlyStopping(),
        arguments={"eval_strategy": "epoch", "seed": 1} | arguments,
    )  # fmt: skip


def job(folder: Path, *, t5: bool = False, **changes: Any) -> Job:
    made = tiny_t5(folder, TEXTS * 9, vocabulary=40) if t5 else tiny_llama(folder, TEXTS)
    described = BaseLLM(name=str(made), device="cpu", precision="fp32").describe()
    rows = [row_of(record, described.form) for record in RECORDS]
    own = Job(
        described=described, added=[], adapter=AdapterSettings(), settings=settings(), rows=rows,
        answering=Answering(described, rows, batch_tokens=100), data_key="data",
    )  # fmt: skip
    return replace(own, **changes)


def test_memory_that_ends_says_what_to_lower(tmp_path: Path) -> None:
    own = job(tmp_path)
    with pytest.raises(OutOfMemory) as said, out_of_memory_explained(own):
        torch.empty(1 << 55)
    message = str(said.value)
    for way in ("batch_tokens (now 100)", "gradient_checkpointing=true", "adapter.rank (now 16)", "generation_tokens"):
        assert way in message
    assert "load_in_4bit" not in message, "which a CPU has not"
    with pytest.raises(OutOfMemory, match=r"adapter\.kind=lora"), out_of_memory_explained(replace(own, adapter=None)):
        torch.empty(1 << 55)
    with pytest.raises(RuntimeError, match="shape"), out_of_memory_explained(own):
        torch.empty(4).view(3)


def test_a_context_that_is_too_short_for_a_question_and_its_answer_is_an_error(tmp_path: Path) -> None:
    described = BaseLLM(name=str(tiny_llama(tmp_path, TEXTS, positions=20)), device="cpu").describe()
    with pytest.raises(BaseLLMError, match=r"right answer has \d+ tokens, and .* takes 20: write shorter records"):
        Answering(described, [row_of(record, described.form) for record in RECORDS], batch_tokens=100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"eval_strategy": "no"}, "choose epoch or steps"),
        ({"per_device_train_batch_size": 4}, r"base_llm\.tuning\.batch_tokens"),
        ({"learning_rat": 1}, r"trainer\.arguments: .*learning_rat"),
    ],
)
def test_arguments_that_cannot_be_are_errors(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(**wrong).training_arguments(tmp_path, job(tmp_path).described)
    with pytest.raises(ConfigError, match="batch_tokens=0"):
        settings(batch_tokens=0)


def test_a_run_goes_on_only_with_all_that_its_weights_depend_on(tmp_path: Path) -> None:
    own = job(tmp_path)
    changed = [
        replace(own, adapter=None), replace(own, adapter=AdapterSettings(rank=4)), replace(own, data_key="others"),
        replace(own, added=[5]), replace(own, settings=settings(packing=False)),
        replace(own, settings=settings(learning_rate=1.0)), replace(own, settings=settings(batch_tokens=50)),
    ]  # fmt: skip
    keys = [each.key() for each in (own, *changed)]
    assert len(set(keys)) == len(keys)
    assert job(tmp_path).key() == own.key()


@pytest.mark.parametrize("t5", [False, True])
def test_what_a_run_takes_is_foretold(t5: bool, tmp_path: Path) -> None:
    own = job(tmp_path, t5=t5)
    alone = forecast(own, seed=1, processes=1)
    assert alone.micro_batches == len(own.bins(seed=1)) == alone.steps
    assert forecast(own, seed=1, processes=2).steps == -(-alone.steps // 2)
    assert forecast(replace(own, settings=settings(gradient_accumulation_steps=4)), seed=1, processes=1).steps == 1
    every = forecast(replace(own, adapter=None), seed=1, processes=1)
    assert every.trained == sum(weights.numel() for weights in own.described.load().parameters()) > alone.trained
    assert "weights" not in every.memory.parts


def test_without_packing_a_record_is_a_micro_batch_by_itself(tmp_path: Path) -> None:
    own = job(tmp_path, settings=settings(packing=False, batch_tokens=10_000))
    assert own.bins(seed=1) == [[0], [1], [2]]
    assert len(replace(own, settings=settings(batch_tokens=10_000)).bins(seed=1)) == 1
