from pathlib import Path

import pytest
import torch

from kazu_distill.base_llm.settings import BaseLLM
from kazu_distill.tuning.vocabulary import grow, vocabulary_layers
from tests.base_llm.tiny import tiny_llama, tiny_t5

TEXTS = ["Aspirin caused gout in men."] * 9


@pytest.mark.parametrize("kind", ["llama", "t5"])
def test_new_tokens_are_as_far_from_each_other_as_others_are(kind: str, tmp_path: Path) -> None:
    made = tiny_t5(tmp_path, TEXTS, vocabulary=40) if kind == "t5" else tiny_llama(tmp_path, TEXTS)
    described = BaseLLM(name=str(made), device="cpu", precision="fp32").describe()
    model = described.load()
    before = [layer.weight.data.clone() for layer in vocabulary_layers(model)]
    assert len(before) == (1 if kind == "t5" else 2)
    size = len(before[0])
    grow(model, range(size, size + 3), seed=1)
    for layer, known in zip(vocabulary_layers(model), before, strict=True):
        assert layer.weight.shape == (size + 3, known.shape[1])
        assert torch.equal(layer.weight[:size], known)
        usual = torch.pdist(known).mean()
        assert torch.pdist(layer.weight.detach()[size:]).min() > usual / 2
    if kind == "t5":
        assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    again = described.load()
    grow(again, range(size, size + 3), seed=1)
    assert torch.equal(again.get_input_embeddings().weight, model.get_input_embeddings().weight)


def test_rows_that_a_model_has_to_spare_are_used(tmp_path: Path) -> None:
    described = BaseLLM(name=str(tiny_llama(tmp_path, TEXTS)), device="cpu", precision="fp32").describe()
    model = described.load()
    size = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(size + 8)
    grow(model, [size, size + 1], seed=1)
    assert model.get_input_embeddings().num_embeddings == size + 8
