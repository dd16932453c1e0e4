"""What questions have in common is read once, and changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
    set_seed,
)

from kazu_distill.base_llm.prefix import SharedPrefix

_SHAPE: dict[str, Any] = {
    "vocab_size": 200, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
_CPU = torch.device("cpu")


def with_adapter() -> Any:
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(**_SHAPE)), LoraConfig(r=4, init_lora_weights=False))
    return model.eval()


MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_SHAPE)),
    "qwen": lambda: Qwen2ForCausalLM(Qwen2Config(**_SHAPE)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**_SHAPE, sliding_window=None)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=200, n_embd=32, n_layer=2, n_head=4)),
    "adapter": with_adapter,
}


def model_of(name: str) -> Any:
    set_seed(3)
    return MODELS[name]().eval()


def sequence(length: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(3, 200) for _ in range(length)]


def last_scores(model: Any, prompts: list[list[int]], known: int, cache: Any) -> torch.Tensor:
    """Scores of the token behind each prompt, as ``generate`` has them computed."""
    longest = max(map(len, prompts))
    rows = [[*prompt[:known], *[0] * (longest - len(prompt)), *prompt[known:]] for prompt in prompts]
    mask = torch.tensor([[1] * known + [0] * (longest - len(p)) + [1] * (len(p) - known) for p in prompts])
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    scores: torch.Tensor = model(
        input_ids=torch.tensor(rows)[:, known:], attention_mask=mask, position_ids=positions[:, known:],
        past_key_values=cache,
    ).logits[:, -1]  # fmt: skip
    return scores


@pytest.mark.parametrize("name", MODELS)
@torch.inference_mode()
def test_the_scores_are_those_of_questions_that_are_read_whole(name: str) -> None:
    model = model_of(name)
    prefix = SharedPrefix(model, _CPU)
    assert prefix.is_possible
    shared = sequence(100, 0)
    batches = [
        [shared + sequence(n, n) for n in (5, 40, 1, 17)],
        [shared + sequence(n, n) for n in (90, 2)],
        [shared[:80] + sequence(n, n) for n in (30, 60)],  # a part of what is known
        [shared + sequence(70, 1) + sequence(n, n) for n in (3, 9)],  # more than is known
    ]
    wholes = [torch.cat([model(input_ids=torch.tensor([p])).logits[:, -1] for p in batch]) for batch in batches]
    read = []
    for batch, whole in zip(batches, wholes, strict=True):
        known, cache = prefix.of(batch)
        read.append(known)
        torch.testing.assert_close(last_scores(model, batch, known, cache), whole, atol=2e-5, rtol=1e-4)
    assert read == [100, 100, 80, 170]


@torch.inference_mode()
def test_single_questions_have_the_prefix_of_the_one_before() -> None:
    model = model_of("llama")
    prefix = SharedPrefix(model, _CPU)
    shared = sequence(100, 0)
    assert prefix.of([[*shared, 3, 4]]) == (0, None)
    known, cache = prefix.of([[*shared, 5]])
    assert known == 100
    whole = model(input_ids=torch.tensor([[*shared, 5]])).logits[:, -1]
    torch.testing.assert_close(last_scores(model, [[*shared, 5]], known, cache), whole, atol=2e-5, rtol=1e-4)


@torch.inference_mode()
def test_the_last_token_is_always_read() -> None:
    shared = sequence(100, 0)
    assert SharedPrefix(model_of("llama"), _CPU).of([shared, shared])[0] == 99


@torch.inference_mode()
def test_too_little_is_not_worth_it_and_what_was_forgotten_is_read_again() -> None:
    prefix = SharedPrefix(model_of("llama"), _CPU)
    assert prefix.of([[*sequence(63, 0), n] for n in (3, 4)]) == (0, None)
    for _ in range(2):
        assert prefix.of([[*sequence(70, 0), n] for n in (3, 4)])[0] == 70
        prefix.forget()


@pytest.mark.parametrize(
    "model",
    [
        lambda: MistralForCausalLM(MistralConfig(**_SHAPE, sliding_window=16)),
        lambda: Gemma3ForCausalLM(Gemma3TextConfig(**_SHAPE, head_dim=8, sliding_window=16)),
        lambda: T5ForConditionalGeneration(T5Config(vocab_size=200, d_model=32, num_layers=1)),
    ],
)
def test_a_model_that_keeps_something_else_reads_every_question_whole(model: Any) -> None:
    prefix = SharedPrefix(model(), _CPU)
    assert not prefix.is_possible
    assert prefix.of([sequence(100, 0)] * 2) == (0, None)
