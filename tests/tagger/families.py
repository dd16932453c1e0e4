"""Tiny encoders of every family, with a tokenizer of the kind that the family has, trained on a few sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForTokenClassification,
    BertConfig,
    BertTokenizer,
    DebertaV2Config,
    DebertaV2Tokenizer,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaTokenizer,
    XLMRobertaConfig,
    XLMRobertaTokenizer,
)

from kazu_distill.tagger.encoder import Encoder

TEXTS = [
    "EGFR causes gout in some patients; TP53 and asthma (type-2) were seen with IL-6, too.",
    "Die Übelkeit nahm nach 5-FU ab. Le café fort, naïveté et œdème. α-synuclein: 3,5 µg/ml\nwas given.",
]
_BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_DEBERTA = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
_MODERN = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


@dataclass(frozen=True, slots=True)
class Family:
    """An architecture: how its tiny model is configured, which tokenizer it has, and its own names of dropouts.

    ``reserved`` is how many positions of ``max_position_embeddings`` no token can have.
    """

    configure: Callable[..., Any]
    tokenizer: Callable[[], Any]
    settings: dict[str, Any]
    dropouts: tuple[str, str]
    reserved: int = 0


def tiny_encoder(name: str, folder: Path, *, positions: int = 64) -> Encoder:
    """A model of two layers of 32 units, with random weights and without dropout, saved in a folder."""
    family = FAMILIES[name]
    tokenizer = family.tokenizer()
    torch.manual_seed(1)
    config = family.configure(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        max_position_embeddings=positions + family.reserved,
        **family.settings,
    )
    model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Encoder(name=str(folder), learning_rate=1e-2, overrides=dict.fromkeys(family.dropouts, 0.0))


def wordpiece() -> Any:
    """The tokenizer of BERT, DistilBERT and ELECTRA: lower case, no accents, ``##`` before a word's later pieces."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return BertTokenizer(vocab=_vocabulary(tokenizer, trainers.WordPieceTrainer, _BERT)["vocab"])


def byte_level() -> Any:
    """RoBERTa's tokenizer: pieces of bytes, in which a space belongs to the word behind it."""
    trained = _vocabulary(_byte_level(), trainers.BpeTrainer, _ROBERTA)
    return RobertaTokenizer(
        vocab=trained["vocab"],
        merges=[tuple(pair) for pair in trained["merges"]],  # type: ignore[misc]  # as the tokenizer wants them
        add_prefix_space=True,
    )


def modern_byte_level() -> Any:
    """ModernBERT's tokenizer: pieces of bytes, whose offsets keep the space; long runs of spaces are one token."""
    tokenizer = _byte_level()
    _vocabulary(tokenizer, trainers.BpeTrainer, _MODERN)
    tokenizer.add_tokens([" " * length for length in range(2, 6)])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, _MODERN.index(name)) for name in ("[CLS]", "[SEP]")]
    )
    named = {f"{name[1:-1].lower()}_token": name for name in _MODERN}
    names = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, **named)  # type: ignore[no-untyped-call]


def xlm_unigram() -> Any:
    """XLM-R's tokenizer: SentencePiece's unigrams, where ``▁`` stands for a space."""
    return XLMRobertaTokenizer(vocab=_unigrams(_ROBERTA))


def deberta_unigram() -> Any:
    """DeBERTa-v2's and v3's tokenizer: unigrams too, over text whose runs of spaces are one."""
    return DebertaV2Tokenizer(vocab=_unigrams(_DEBERTA), unk_id=_DEBERTA.index("[UNK]"))


def _byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _unigrams(special: Sequence[str]) -> list[tuple[str, float]]:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    unknown = next(name for name in special if "unk" in name.lower())
    trained = _vocabulary(tokenizer, trainers.UnigramTrainer, special, unk_token=unknown)
    return [(piece, score) for piece, score in trained["vocab"]]


def _vocabulary(tokenizer: Tokenizer, trainer: Any, special: Sequence[str], **more: Any) -> dict[str, Any]:
    alphabet = pre_tokenizers.ByteLevel.alphabet() if isinstance(tokenizer.model, models.BPE) else []
    tokenizer.train_from_iterator(
        TEXTS,
        trainer(vocab_size=400, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False, **more),
    )
    trained: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return trained


_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_BERTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")
_DISENTANGLED = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}

FAMILIES = {
    "bert": Family(BertConfig, wordpiece, _SIZES, _BERTS),
    "distilbert": Family(
        DistilBertConfig,
        wordpiece,
        {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
        ("dropout", "attention_dropout"),
    ),
    "roberta": Family(RobertaConfig, byte_level, _SIZES, _BERTS, reserved=2),
    # ELECTRA's embeddings are smaller than its layers.
    "electra": Family(ElectraConfig, wordpiece, _SIZES | {"embedding_size": 16}, _BERTS),
    "deberta-v2": Family(
        DebertaV2Config,
        deberta_unigram,
        _SIZES | _DISENTANGLED | {"conv_kernel_size": 3, "conv_act": "gelu", "norm_rel_ebd": "layer_norm"},
        _BERTS,
    ),
    "deberta-v3": Family(
        DebertaV2Config,
        deberta_unigram,
        _SIZES
        | _DISENTANGLED
        | {"position_buckets": 16, "position_biased_input": False, "share_att_key": True, "norm_rel_ebd": "layer_norm"},
        _BERTS,
    ),
    "modernbert": Family(
        ModernBertConfig,
        modern_byte_level,
        _SIZES | {"local_attention": 16, "global_attn_every_n_layers": 2},
        ("mlp_dropout", "attention_dropout"),
    ),
    "xlm-roberta": Family(XLMRobertaConfig, xlm_unigram, _SIZES, _BERTS, reserved=2),
}
