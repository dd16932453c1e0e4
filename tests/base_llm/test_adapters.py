"""An adapter is put on the model that it was made for, and on no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from kazu_distill.base_llm.adapters import SHAPE_FILE, base_of, check_base, put_on, shape_of
from kazu_distill.base_llm.errors import BaseLLMError, OtherBase
from kazu_distill.base_llm.settings import BaseLLM
from tests.base_llm.tiny import tiny_llama, tiny_t5

TEXTS = ["Aspirin inhibits COX-1 in human platelets."] * 5


def model_of(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("base"), TEXTS)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("other"), TEXTS, hidden=32)


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    model = get_peft_model(model_of(base), LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False))
    model.save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    (folder / SHAPE_FILE).write_text(json.dumps(shape_of(AutoConfig.from_pretrained(base))))
    return folder


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(torch.tensor([[1, 5, 7]])).logits
    return found


def test_an_adapter_knows_its_base(base: Path, adapter: Path) -> None:
    assert base_of(adapter) == str(base)


def test_it_changes_what_its_base_says(base: Path, adapter: Path) -> None:
    loaded = BaseLLM(base_of(adapter), str(adapter), device="cpu", precision="fp32").describe().load()
    assert not torch.allclose(logits(loaded), logits(model_of(base)))
    assert not loaded.training


def test_a_base_that_moved_is_the_same_base(base: Path, adapter: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(base, tmp_path / "moved")
    check_base(adapter, str(moved), AutoConfig.from_pretrained(moved))
    (adapter / SHAPE_FILE).unlink()  # as of adapters that others made
    check_base(adapter, str(moved), AutoConfig.from_pretrained(moved))


def test_another_base_is_refused_before_weights_are_loaded(adapter: Path, other: Path, tmp_path: Path) -> None:
    with pytest.raises(OtherBase, match=r"was made for .*base.* \(hidden_size 64\), and .*other.* has hidden_size 32"):
        BaseLLM(str(other), str(adapter), device="cpu").describe()
    t5 = tiny_t5(tmp_path / "t5", TEXTS)
    with pytest.raises(OtherBase, match=r"model_type llama\), and .*t5 has model_type t5"):
        check_base(adapter, str(t5), AutoConfig.from_pretrained(t5))


def test_another_base_is_refused_when_its_weights_do_not_fit(adapter: Path, other: Path) -> None:
    (adapter / SHAPE_FILE).unlink()
    with pytest.raises(
        OtherBase, match=r"does not fit .*other.*size mismatch.*: give the model that it was made for, .*base"
    ):
        BaseLLM(str(other), str(adapter), device="cpu", precision="fp32").describe().load()


def test_the_vocabulary_grows_with_the_tokenizer(base: Path, tmp_path: Path) -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens(["TGF-β"])
    model = model_of(base)
    model.resize_token_embeddings(len(tokenizer))
    own = get_peft_model(model, LoraConfig(r=2, target_modules="all-linear"))
    own.save_pretrained(str(tmp_path))
    loaded = put_on(model_of(base), tmp_path, tokenizer)
    assert loaded.get_input_embeddings().num_embeddings == len(tokenizer)
    assert torch.equal(logits(loaded), logits(own.eval()))


def test_a_folder_that_is_no_adapter_is_said(base: Path, adapter: Path) -> None:
    def use() -> None:
        check_base(adapter, "any", AutoConfig.from_pretrained(base))
        put_on(model_of(base), adapter, AutoTokenizer.from_pretrained(base))

    def refused(match: str) -> None:
        with pytest.raises(BaseLLMError, match=match):
            use()

    weights = adapter / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    refused(r"cannot be read \(.*\): copy it again, or tune again")
    weights.unlink()
    refused(r"is no whole adapter \(adapter_model.safetensors is missing\)")
    (adapter / SHAPE_FILE).write_text("[]")
    refused(f"{SHAPE_FILE} is missing or not readable")
    for content in ("", "[]", '"x"', "{}"):
        (adapter / "adapter_config.json").write_text(content)
        refused(r"adapter_config.json is missing or not readable\): give a folder that kazu_distill.tune wrote")
    shutil.rmtree(adapter)
    refused("adapter_config.json is missing")
