"""Takes a model through one step on the CPU, tuned in two ways and asked, and prints the bytes that each took.

``python -m tests.base_llm.peak LAYERS TOKENS``
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from kazu_distill.base_llm.settings import BaseLLM, Described

KINDS = ("tune", "checkpointed", "ask")
VOCABULARY, BATCH, ANSWER = 16_000, 8, 8


def described(layers: int, *, hidden: int = 512, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Described:
    """A model in the shape of Llama, without a tokenizer, which memory does not go by."""
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers,
        num_attention_heads=8, num_key_value_heads=4,
    )  # fmt: skip
    form: Any = None
    return Described(BaseLLM(name="a model", device=device), config, form, False, torch.device(device), dtype)


def adapted(model: Any) -> Any:
    """With an adapter beside each linear layer, as ``tune`` has it."""
    return get_peft_model(model, LoraConfig(r=16, lora_dropout=0.05, target_modules="all-linear"))


def _model(layers: int, *, hidden: int = 512) -> Any:
    return LlamaForCausalLM(described(layers, hidden=hidden).config)


def _tune(model: Any, tokens: int, *, checkpointed: bool) -> None:
    model = adapted(model)
    if checkpointed:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    optimizer = torch.optim.AdamW(weights for weights in model.parameters() if weights.requires_grad)
    row = torch.randint(VOCABULARY, (1, tokens))
    positions = torch.cat([torch.arange(tokens // 4)] * 4)[None]
    learnt = torch.arange(3, tokens, 4)
    logits = model(input_ids=row, position_ids=positions, logits_to_keep=learnt, use_cache=False).logits
    torch.nn.functional.cross_entropy(logits[0].float(), row[0, learnt]).backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _ask(model: Any, tokens: int) -> None:
    row = torch.randint(VOCABULARY, (BATCH, tokens - ANSWER))
    with torch.inference_mode():
        model.eval().generate(row, attention_mask=torch.ones_like(row), max_new_tokens=ANSWER, min_new_tokens=ANSWER)


def _took(kind: str, layers: int, tokens: int) -> int:
    _tune(_model(1, hidden=16), 8, checkpointed=False)  # what is loaded only when it is used
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    model = _model(layers)
    _ask(model, tokens) if kind == "ask" else _tune(model, tokens, checkpointed=kind == "checkpointed")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


def main() -> None:
    """Print each kind with what it took."""
    torch.set_num_threads(1)
    for kind in KINDS:
        child = os.fork()  # libraries are loaded once, and a process's peak never falls
        if not child:
            print(kind, _took(kind, *map(int, sys.argv[1:3])), flush=True)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            sys.exit(f"{kind} failed")


if __name__ == "__main__":
    main()
