"""Training and prediction of an encoder of a given shape with random weights, on invented text: nothing is downloaded.

How much of a card is used is the arithmetic of the model's matrix products over what the card can do in bf16:

    forward, a token: 2 · L · (4 h² + 2 h f) + 4 · L · h · s + 2 · h · tags  FLOP

with L layers of h units, f units in between and windows of s tokens: the four products of attention's weights and the
two of the feed-forward part, a multiplication and an addition each; scores and weighted sums of attention against all s
tokens; the head. Training takes three times as much, for the gradients by inputs and by weights. Embeddings,
normalisation, softmax and the optimizer are not counted, nor are padding and special tokens.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from bench_jobs import Predicted, PredictJob, Trained, TrainJob
from bench_models import labels_of
from bench_runs import ours, table
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span

SHAPES = {
    "bert-base": (768, 12, 12, 3072),
    "bert-large": (1024, 24, 16, 4096),
    "minilm": (384, 6, 12, 1536),
    "tiny": (32, 2, 2, 64),
}
"""Hidden units, layers, heads, and units of the feed-forward part."""

_STEMS, _SUFFIXES, _SPECIAL = 30_000, 100, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SUFFIXED = 0.4  # share of words that have two pieces
_SPAN_WORDS = 3
_SCHEMA = "kazu"
_TAGS = 36  # of scheme bio for its 18 classes


def shape_table(options: argparse.Namespace, folder: Path) -> str:
    """Tokens a second, and the share of the card's arithmetic, in training and in prediction."""
    save_encoder(folder / "encoder", options.shape, options.length, options.seed)
    documents = invented(options.documents or 4096, options.length - 2, options.seed)
    write_documents(folder / "data/train.jsonl", documents)
    write_documents(folder / "data/eval.jsonl", documents[:8])
    train = TrainJob(
        encoder=str(folder / "encoder"),
        data=str(folder / "data"),
        out=str(folder / "run"),
        labels=[],
        epochs=options.epochs,
        batch_size=0,
        max_length=options.length,
        stride=64 if options.length > 128 else 0,
        learning_rate=0.0,
        seed=options.seed,
        warm_up=options.warm_up,
        overrides=[
            f"schema={_SCHEMA}", f"encoder.name={folder / 'encoder'}", "encoder.learning_rate=1e-4", "thresholds=null",
            *options.ours,
        ],
    )  # fmt: skip
    trained = ours().run(train, Trained, folder / "train")
    predict = PredictJob(
        model=trained.model,
        documents=str(folder / "data/train.jsonl"),
        out=str(folder / "predicted.jsonl"),
        max_length=options.length,
        stride=train.stride,
        batch_size=0,
        warm_up=str(folder / "data/eval.jsonl"),
    )
    predicted = ours().run(predict, Predicted, folder / "predict")
    tokens = predicted.documents * (options.length - 2)
    forward = forward_flop(options.shape, options.length)
    rows = [
        row("training", trained.tokens, trained.seconds, 3 * forward, options.peak_tflops),
        row("prediction", tokens, predicted.seconds, forward, options.peak_tflops),
    ]
    columns = [f"{options.shape}, windows of {options.length}", "tokens", "tokens/s", "TFLOP/s", "share of peak"]
    return table(columns, rows)


def row(name: str, tokens: int, seconds: float, flop: float, peak_tflops: float | None) -> list[str]:
    """A row; ``flop`` is the arithmetic of a token."""
    tflops = tokens * flop / seconds / 1e12
    share = f"{tflops / peak_tflops:.1%}" if peak_tflops else ""
    return [name, f"{tokens:,}", f"{tokens / seconds:,.0f}", f"{tflops:.2f}", share]


def forward_flop(shape: str, length: int) -> float:
    """Floating-point operations of one token's way through the model, in a window of ``length`` tokens."""
    hidden, layers, _, between = SHAPES[shape]
    weights = layers * (4 * hidden**2 + 2 * hidden * between)
    return 2 * weights + 4 * layers * hidden * length + 2 * hidden * _TAGS


def save_encoder(folder: Path, shape: str, length: int, seed: int) -> None:
    """Write a BERT of a shape, with random weights and a tokenizer of invented words."""
    stems, suffixes = vocabulary(seed)
    pieces = [*_SPECIAL, *stems, *(f"##{suffix}" for suffix in suffixes)]
    inner = Tokenizer(WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    inner.normalizer = BertNormalizer()
    inner.pre_tokenizer = BertPreTokenizer()
    ends = [(name, pieces.index(name)) for name in ("[CLS]", "[SEP]")]
    inner.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner, model_max_length=length, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    tokenizer.save_pretrained(folder)
    hidden, layers, heads, between = SHAPES[shape]
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=between,
        max_position_embeddings=length,
        attention_probs_dropout_prob=0.0,
    )
    BertForTokenClassification(config).save_pretrained(folder)


def vocabulary(seed: int) -> tuple[list[str], list[str]]:
    """Invented stems of five letters, and suffixes of two digits, each a token."""
    chance = random.Random(seed)
    stems: set[str] = set()
    while len(stems) < _STEMS:
        stems.add("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=5)))
    return sorted(stems), [f"{number:02}" for number in range(_SUFFIXES)]


def invented(documents: int, tokens: int, seed: int) -> list[Document]:
    """Documents of so many tokens each, with a short span for every twenty words or so."""
    chance = random.Random(seed)
    stems, suffixes = vocabulary(seed)
    labels = labels_of(_SCHEMA)
    made = []
    for number in range(documents):
        words: list[str] = []
        pieces = 0
        while pieces < tokens:
            suffixed = tokens - pieces > 1 and chance.random() < _SUFFIXED
            words.append(chance.choice(stems) + (chance.choice(suffixes) if suffixed else ""))
            pieces += 1 + suffixed
        starts = [0]
        for word in words:
            starts.append(starts[-1] + len(word) + 1)
        spans = [
            Span(starts[first], starts[min(first + _SPAN_WORDS, len(words))] - 1, chance.choice(labels))
            for first in range(chance.randrange(20), len(words), 20)
        ]
        made.append(Document(str(number), (Section("", " ".join(words), tuple(spans)),)))
    return made
