"""Tiny open LLMs with random weights: Llama's shape and T5's, with a tokenizer that is trained on the texts at hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    set_seed,
)

from tests.base_llm.templates import MARKS, TEMPLATES


def tiny_llama(
    folder: Path,
    texts: Iterable[str],
    *,
    template: str | None = "llama",
    vocabulary: int = 600,
    hidden: int = 64,
    layers: int = 2,
    positions: int = 2048,
    padding: bool = True,
    seed: int = 1,
) -> Path:
    """A causal model with a tokenizer of byte pairs, which can write every text, saved in a folder."""
    tokenizer = llama_tokenizer(texts, template=template, vocabulary=vocabulary, padding=padding)
    set_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=positions,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config)
    model.to(torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def llama_tokenizer(
    texts: Iterable[str], *, template: str | None = "llama", vocabulary: int = 600, padding: bool = True
) -> Any:
    """A tokenizer of byte pairs with the special tokens of a family's chat template."""
    special = ["<s>", "</s>", *(["<pad>"] if padding else []), *(MARKS[template] if template else ())]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>" if padding else None
    )
    fast.chat_template = TEMPLATES[template] if template else None
    return fast


def tiny_t5(
    folder: Path, texts: Iterable[str], *, vocabulary: int = 600, hidden: int = 64, layers: int = 2, seed: int = 1
) -> Path:
    """A model from sequence to sequence, with such a tokenizer, saved in a folder."""
    fast = t5_tokenizer(texts, vocabulary=vocabulary)
    set_seed(seed)
    config = T5Config(
        vocab_size=len(fast), d_model=hidden, d_kv=hidden // 4, d_ff=2 * hidden, num_layers=layers, num_heads=4,
        pad_token_id=fast.pad_token_id, eos_token_id=fast.eos_token_id,
    )  # fmt: skip
    config.decoder_start_token_id = fast.pad_token_id
    model: Any = T5ForConditionalGeneration(config)
    model.to(torch.float32).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def t5_tokenizer(texts: Iterable[str], *, vocabulary: int = 600) -> Any:
    """A tokenizer that, like T5's, has neither braces nor line breaks."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("\n", " "), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    kept = (text.replace("{", " ").replace("}", " ") for text in texts)
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(kept, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )
