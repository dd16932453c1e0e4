"""Adapters: what they train, what checkpointing does to them, and that they keep what a vocabulary gained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from kazu_distill.base_llm.errors import OtherBase
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.errors import ConfigError
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.batches import OneRow
from kazu_distill.tuning.loss import answer_loss
from kazu_distill.tuning.rows import row_of
from tests.base_llm.tiny import tiny_llama, tiny_t5
from tests.tuning.test_loss import RECORDS, TEXTS

KINDS = ["llama", "t5"]


def described(folder: Path, kind: str) -> Described:
    made = tiny_t5(folder, TEXTS * 9, vocabulary=40) if kind == "t5" else tiny_llama(folder, TEXTS)
    return BaseLLM(name=str(made), device="cpu", precision="fp32").describe()


def with_tokens(model: Described, *pieces: str) -> tuple[Any, list[int]]:
    """The model with its weights, and rows for tokens that its vocabulary gained."""
    before = len(model.form.tokenizer)
    model.form.tokenizer.add_tokens(list(pieces))
    own = model.load()
    own.resize_token_embeddings(len(model.form.tokenizer))
    return own, list(range(before, len(model.form.tokenizer)))


def scores(model: Any, tokens: Sequence[int], *, is_seq2seq: bool) -> torch.Tensor:
    ids = torch.tensor([list(tokens)])
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=ids, **({"decoder_input_ids": ids} if is_seq2seq else {})).logits
    return logits


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adapter", [AdapterSettings(), AdapterSettings(kind="dora", rank=4)])
@pytest.mark.parametrize("pieces", [(), ("{", "}")])
def test_what_is_trained_is_counted_without_a_model(
    kind: str, adapter: AdapterSettings, pieces: tuple[str, ...], tmp_path: Path
) -> None:
    model = described(tmp_path, kind)
    own, added = with_tokens(model, *pieces)
    put_on = adapter.put_on(own, described=model, tokens=added)
    trained = sum(weights.numel() for weights in put_on.parameters() if weights.requires_grad)
    assert adapter.weights(model, tokens=len(added)) == trained > 0
    assert all(
        "lora" in name or "trainable_tokens" in name for name, each in put_on.named_parameters() if each.requires_grad
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_vocabulary_gained_is_learnt_saved_loaded_and_merged(kind: str, tmp_path: Path) -> None:
    model = described(tmp_path / "base", kind)
    own, added = with_tokens(model, "{", "⟂", "⊥")
    tuned = AdapterSettings(dropout=0.0).put_on(own, described=model, tokens=added, seed=1)
    text = [5, *added, 7]
    untrained = scores(tuned, text, is_seq2seq=model.is_seq2seq)
    ids = torch.tensor([text])
    logits = tuned(input_ids=ids, **({"decoder_input_ids": ids} if model.is_seq2seq else {})).logits
    logits.log_softmax(-1)[0, :, added].sum().neg().backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD([each for each in tuned.parameters() if each.requires_grad], lr=0.1).step()
    learnt = scores(tuned.eval(), text, is_seq2seq=model.is_seq2seq)
    assert not torch.allclose(learnt, untrained, atol=1e-2)
    folder = tmp_path / "adapter"
    tuned.save_pretrained(folder)
    model.form.tokenizer.save_pretrained(folder)
    weights = folder / "adapter_model.safetensors"
    assert weights.stat().st_size < (tmp_path / "base/model.safetensors").stat().st_size / 2, "not the whole vocabulary"
    again = BaseLLM(name=str(tmp_path / "base"), adapter=str(folder), device="cpu", precision="fp32").describe().load()
    assert torch.allclose(scores(again, text, is_seq2seq=model.is_seq2seq), learnt, atol=1e-5)
    merged = again.merge_and_unload()
    assert torch.allclose(scores(merged, text, is_seq2seq=model.is_seq2seq), learnt, atol=1e-4)


def test_checkpointing_changes_no_gradient_and_no_answer(tmp_path: Path) -> None:
    model = described(tmp_path, "llama")
    batch = OneRow(keeps_logits=True)([row_of(record, model.form) for record in RECORDS])
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    found = []
    for checkpointing in (False, True):
        own = AdapterSettings(dropout=0.0).put_on(model.load(), described=model, seed=1)
        if checkpointing:
            own.activation_checkpointing_enable({"use_reentrant": False})
        own.train()
        answer_loss(own(**inputs), batch["labels"]).backward()
        found.append({name: each.grad.clone() for name, each in own.named_parameters() if each.requires_grad})
        own.eval()
        prompt = torch.tensor([row_of(RECORDS[0], model.form).prompt.tolist()])
        with torch.inference_mode():
            found[-1]["answer"] = own.generate(input_ids=prompt, max_new_tokens=5, do_sample=False)
    plain, checkpointed = found
    assert all(torch.allclose(plain[name], checkpointed[name], atol=1e-6) for name in plain)
    assert any(each.abs().max() > 1e-3 for name, each in plain.items() if "lora_B" in name)


def test_an_adapter_for_another_base_is_an_error(tmp_path: Path) -> None:
    model = described(tmp_path / "base", "llama")
    AdapterSettings().put_on(model.load(), described=model).save_pretrained(tmp_path / "adapter")
    model.form.tokenizer.save_pretrained(tmp_path / "adapter")
    other = tiny_llama(tmp_path / "other", TEXTS, hidden=32)
    with pytest.raises(OtherBase, match="give the model that it was made for"):
        BaseLLM(name=str(other), adapter=str(tmp_path / "adapter"), device="cpu").describe().load()


def test_what_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"adapter\.kind=qlora: choose lora or dora"):
        AdapterSettings(kind="qlora")  # type: ignore[arg-type]
    for wrong in ({"rank": 0}, {"alpha": 0}, {"dropout": 1.0}, {"rank": 1.5}):
        with pytest.raises(ConfigError, match=f"adapter.{next(iter(wrong))}="):
            AdapterSettings(**wrong)
    model = described(tmp_path, "llama")
    with pytest.raises(ConfigError, match=r"adapter\.target=\['nowhere'\]"):
        AdapterSettings(target=["nowhere"]).put_on(model.load(), described=model)
