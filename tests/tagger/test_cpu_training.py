"""Faster attention and dropout: the same figures as torch's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoModelForTokenClassification, BertConfig

from kazu_distill.tagger.cpu_training import FastDropout, attention, drop, speed_up
from kazu_distill.tagger.labels import label_scheme
from tests.tagger.families import FAMILIES, tiny_encoder

FLOATS = pytest.mark.parametrize(("dtype", "within"), [(torch.bfloat16, 0.03), (torch.float32, 1e-5)])


@FLOATS
@pytest.mark.parametrize("masked", [False, True])
def test_attention_and_its_gradients_are_those_of_torch(dtype: torch.dtype, within: float, masked: bool) -> None:
    torch.manual_seed(1)
    mask = torch.ones((3, 1, 1, 40), dtype=torch.bool)
    mask[1, ..., 30:] = mask[2, ..., 1:] = False
    given_mask = mask.expand(3, 1, 40, 40) if masked else None

    def run(kind: torch.dtype, *, ours: bool) -> list[Tensor]:
        torch.manual_seed(2)
        query, key, value = (torch.randn(3, 4, 40, 8).to(dtype).to(kind).requires_grad_() for _ in range(3))
        if ours:
            out = attention(nn.Module().train(), query, key, value, given_mask, is_causal=False)[0]
        else:
            out = scaled_dot_product_attention(query, key, value, attn_mask=given_mask).transpose(1, 2)
        return [out.detach(), *torch.autograd.grad((out * torch.linspace(-1, 1, 8)).sum(), (query, key, value))]

    expected, found = run(torch.float32, ours=False), run(dtype, ours=True)
    assert len(found) == 4
    for theirs, our in zip(expected, found, strict=True):
        assert our.dtype is dtype
        assert (our.float() - theirs).abs().max() < within * theirs.abs().max()


def test_attention_leaves_weights_out_in_training_only() -> None:
    torch.manual_seed(1)
    query, key = (torch.randn(2, 2, 16, 8, dtype=torch.bfloat16) for _ in range(2))
    ones = torch.ones_like(query)
    module = nn.Module().train()
    assert torch.all(attention(module, query, key, ones, None, is_causal=False)[0].isclose(ones[0, 0, 0, 0], atol=0.02))
    dropped = attention(module, query, key, ones, None, dropout=0.5, is_causal=False)[0]
    assert dropped.float().std() > 0.1
    assert dropped.float().mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_windows_of_a_batch_share_the_weights_that_are_left_out(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    query = torch.zeros(3, 2, 64, 64, dtype=dtype)  # so that all weights are 1/64
    units = torch.eye(64, dtype=dtype).expand(3, 2, 64, 64)  # so that what comes out is the weights
    weights = attention(nn.Module().train(), query, query, units, None, dropout=0.1, is_causal=False)[0]
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights[0], weights[2])
    left_out = weights[0] == 0
    assert left_out.float().mean() == pytest.approx(0.1, abs=0.01)
    assert torch.all(weights[0][~left_out].isclose(torch.tensor(1 / 64 / 0.9, dtype=dtype), rtol=1e-4))
    assert not torch.equal(left_out[:, 0], left_out[:, 1])  # of heads


@given(probability=st.floats(0.001, 0.999), shape=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_what_is_kept_is_scaled(probability: float, shape: list[int]) -> None:
    units = torch.ones(shape)
    result = drop(units, probability)
    assert result.shape == units.shape
    assert torch.all((result == 0) | result.isclose(torch.tensor(1 / (1 - probability)), rtol=0.02))
    assert torch.all(units == 1)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_as_many_units_are_dropped_as_asked_for(probability: float) -> None:
    torch.manual_seed(1)
    result = drop(torch.ones(1000, 1001), probability)
    assert (result == 0).float().mean() == pytest.approx(probability, abs=0.003)
    assert result.mean() == pytest.approx(1, abs=0.01)
    # Neighbours, whose numbers are drawn together, are dropped independently.
    zeros = (result == 0).float().flatten()
    assert (zeros[1:] * zeros[:-1]).mean() == pytest.approx(probability**2, abs=0.003)
    assert not torch.equal(drop(torch.ones(1000), probability), drop(torch.ones(1000), probability))


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_dropout_of_all_and_nothing(probability: float) -> None:
    units = torch.ones(5)
    assert torch.equal(FastDropout(probability)(units), units * (1 - probability))
    assert torch.equal(FastDropout(probability).eval()(units), units)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_predicts_and_is_saved_as_before(name: str, tmp_path: Path) -> None:
    encoder = tiny_encoder(name, tmp_path / "encoder")
    model: Any = encoder.load(label_scheme("bio", ("gene",)))[0]
    ids = torch.tensor([[5, 6, 7, 8, 9, 10], [5, 6, 7, 8, 9, 10]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    model.eval()
    before = model(input_ids=ids, attention_mask=mask).logits
    speed_up(model)
    assert torch.equal(model(input_ids=ids, attention_mask=mask).logits, before)
    assert not any(type(module) is nn.Dropout for module in model.modules())
    model.train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        trained = model(input_ids=ids, attention_mask=mask).logits
    assert (trained[mask == 1].float() - before[mask == 1]).abs().max() < 0.02 * before.abs().max()
    model.save_pretrained(tmp_path / "saved")
    assert "kazu_distill" not in (tmp_path / "saved/config.json").read_text()
    again: Any = AutoModelForTokenClassification.from_pretrained(tmp_path / "saved").eval()
    assert torch.equal(again(input_ids=ids, attention_mask=mask).logits, before)


def test_dropout_is_as_strong_as_the_models_own() -> None:
    model: Any = AutoModelForTokenClassification.from_config(  # type: ignore[no-untyped-call]
        BertConfig(
            vocab_size=20, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
            hidden_dropout_prob=0.3,
        )
    )  # fmt: skip
    speed_up(model)
    assert {module.p for module in model.modules() if isinstance(module, FastDropout)} == {0.3, 0.1}
