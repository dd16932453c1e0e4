"""What computes a tagger's probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from kazu_distill.tagger.runtime import TorchRuntime, load_torch_runtime
from kazu_distill.tagger.saved import load_parts
from tests.tagger.families import FAMILIES, tiny_encoder
from tests.tagger.saved_taggers import save_tagger

ROWS = [np.array([5, 6, 7, 8, 9, 10], dtype=np.int32), np.array([5, 7, 9], dtype=np.int32)]


@pytest.mark.parametrize("name", FAMILIES)
def test_rounded_weights_give_the_same_answers_to_the_last_bit(name: str, tmp_path: Path) -> None:
    folder = save_tagger(tiny_encoder(name, tmp_path / "encoder"), tmp_path / "model")
    parts = load_parts(folder)
    loaded = load_torch_runtime(folder, parts, device="cpu", precision="bf16")
    layers = [layer for layer in loaded.model.modules() if isinstance(layer, nn.Linear)]
    assert {layer.weight.dtype for layer in layers} == {torch.bfloat16}
    model: Any = load_torch_runtime(folder, parts, device="cpu", precision="fp32").model
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    exact = TorchRuntime(
        model=model,
        padding=parts.tokenizer.pad_token_id,
        longest=parts.settings.max_length,
        device="cpu",
        precision="bf16",
    )
    for rows in (ROWS, ROWS[:1]):
        assert np.array_equal(loaded.logits(rows), exact.logits(rows))
