"""What is known of a model before its weights are loaded."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import BartConfig

from kazu_distill.base_llm.errors import BaseLLMError, NoChatTemplate
from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.errors import ConfigError
from tests.base_llm.tiny import tiny_llama, tiny_t5

TEXTS = ["Aspirin inhibits COX-1 in human platelets."] * 5


def test_a_causal_model_is_described_and_loaded(tmp_path: Path) -> None:
    described = BaseLLM(str(tiny_llama(tmp_path, TEXTS, positions=512)), device="cpu", precision="fp32").describe()
    assert (described.context, described.is_seq2seq, described.dtype) == (512, False, torch.float32)
    model = described.load()
    assert not model.training
    assert next(model.parameters()).dtype is torch.float32


def test_what_fills_up_is_the_end_where_a_tokenizer_has_nothing_for_it(tmp_path: Path) -> None:
    form = BaseLLM(str(tiny_llama(tmp_path, TEXTS, padding=False)), device="cpu").describe().form
    assert form.tokenizer.pad_token_id == form.end


def test_a_model_from_sequence_to_sequence_gets_the_plain_template(tmp_path: Path) -> None:
    described = BaseLLM(str(tiny_t5(tmp_path, TEXTS)), device="cpu", precision="fp32").describe()
    assert described.is_seq2seq
    assert "### Text:" in described.form.template
    assert described.context == math.inf  # its positions are relative
    BartConfig(encoder_layers=1, decoder_layers=1).save_pretrained(tmp_path)
    assert BaseLLM(str(tmp_path), device="cpu").describe().context == 1024  # and these are not


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(BaseLLMError, match=r"nowhere cannot be loaded \(.*\): check its name"):
        BaseLLM(str(tmp_path / "nowhere"), device="cpu").describe()
    with pytest.raises(ConfigError, match="load_in_4bit=true needs CUDA, and the device is cpu"):
        BaseLLM("any", load_in_4bit=True, device="cpu").describe()
    folder = tiny_llama(tmp_path, TEXTS, template=None)
    with pytest.raises(NoChatTemplate):
        BaseLLM(str(folder), device="cpu").describe()
    (folder / "model.safetensors").unlink()
    with pytest.raises(BaseLLMError, match=r"cannot be loaded \(.*model.safetensors"):
        BaseLLM(str(folder), chat_template="plain", device="cpu").describe().load()
