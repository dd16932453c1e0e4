"""Every family of encoders is trained, saved and loaded, with the tokenizer that it has."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification, AutoTokenizer

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.models.early_stopping import EarlyStopping
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import Encoder, check_length
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.loss import MultilabelLoss
from kazu_distill.tagger.saved import save_parts
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.trainer_settings import TrainerSettings
from kazu_distill.tagger.training import Trained, train_tagger
from kazu_distill.tagger.windows import Windower
from kazu_distill.words import words_of
from tests.tagger.families import FAMILIES, TEXTS, tiny_encoder

SCHEMA = Schema(name="test", classes={"gene": {}, "disease": {}})
SCHEME = label_scheme("bio", SCHEMA.labels)


def document(identifier: str, text: str) -> Document:
    """A document in which genes and diseases are labelled wherever they stand."""
    named = {"gene": r"EGFR|TP53|IL-6|α-synuclein", "disease": r"gout|asthma|Übelkeit|œdème"}
    spans = [Span(*match.span(), label) for label, found in named.items() for match in re.finditer(found, text)]
    return Document(identifier, (Section("", text, tuple(spans)),))


DOCUMENTS = [document(str(number), text) for number, text in enumerate([*TEXTS, " ".join(TEXTS) * 3, ""])]


def train(encoder: Encoder, out: Path) -> tuple[Trained, list[float]]:
    """A tagger after a few steps on the documents, and the loss at each."""
    arguments = {
        "max_steps": 16,
        "learning_rate": encoder.learning_rate,
        "eval_strategy": "steps",
        "eval_steps": 16,
        "save_strategy": "steps",
        "save_steps": 16,
        "logging_steps": 1,
        "report_to": [],
        "seed": 1,
    }
    write_documents(out / "train.jsonl", DOCUMENTS)
    losses: list[float] = []
    early = EarlyStopping()
    early.on_log = lambda *_, logs, **__: losses.append(logs["loss"]) if "loss" in logs else None  # type: ignore[method-assign]
    trained = train_tagger(
        encoder=encoder,
        schema=SCHEMA,
        scheme=SCHEME,
        settings=TaggerSettings(max_length=48, stride=12),
        trainer=TrainerSettings(
            loss=MultilabelLoss(),
            batch_tokens=256,
            early_stopping=early,
            arguments=arguments,
            device="cpu",
            precision="fp32",
        ),
        train=[out / "train.jsonl"],
        evaluation=DOCUMENTS,
        score=lambda *_: {"mean_f1": 0.5},
        on_step=lambda *_: None,
        out=out,
    )
    return trained, losses


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_trained_saved_and_loaded(family: str, tmp_path: Path) -> None:
    encoder = tiny_encoder(family, tmp_path / "encoder")
    trained, losses = train(encoder, tmp_path)
    assert sum(losses[-4:]) < 0.7 * sum(losses[:4])
    assert losses[-1] < losses[0]
    before = list(trained.tagger.label(DOCUMENTS))
    trained.model.save_pretrained(tmp_path / "model")
    save_parts(tmp_path / "model", trained.parts)
    assert list(Tagger.from_pretrained(tmp_path / "model", device="cpu", precision="fp32").label(DOCUMENTS)) == before
    model, loading = AutoModelForTokenClassification.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not any(loading.values()), loading
    assert list(model.config.id2label.values()) == SCHEME.tags
    assert AutoTokenizer.from_pretrained(tmp_path / "model").is_fast


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=30, deadline=None)
@example(text="\u03081ก")
@given(text=st.text(" \n-()Egf1αÜïœ̈µ中文กำ🧬 ", max_size=40))
def test_every_familys_tokenizer_finds_the_words(family: str, text: str) -> None:
    windower = Windower(_tokenizer(family), max_length=16, stride=4)
    tokenized = windower.tokenize([text])[0]
    # Words that the tokenizer has one token for are one; all others are those of the text.
    words, found = words_of(text).tolist(), tokenized.words.tolist()
    assert {start for start, _ in found} <= {start for start, _ in words}
    assert {end for _, end in found} <= {end for _, end in words}
    covered = {place for start, end in found for place in range(start, end)}
    assert {place for place, character in enumerate(text) if character.isalnum()} <= covered
    assert (tokenized.first_tokens[1:] >= tokenized.first_tokens[:-1]).all()
    seen = [word for window in windower.windows(tokenized) for word in range(window.first_word, window.last_word)]
    assert set(seen) == set(range(len(tokenized.words)))


@functools.cache
def _tokenizer(family: str) -> Any:
    return FAMILIES[family].tokenizer()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_longest_window_is_what_the_encoder_has_positions_for(family: str, tmp_path: Path) -> None:
    model, tokenizer = tiny_encoder(family, tmp_path, positions=24).load(SCHEME)
    check_length(model, 24)
    model(input_ids=torch.full((1, 24), tokenizer.unk_token_id))
    with pytest.raises(ConfigError, match=r"tagger\.max_length=25 is more than the encoder can take \(24 tokens\)"):
        check_length(model, 25)


def test_weights_that_are_kept_in_16_bits_are_trained_in_32(tmp_path: Path) -> None:
    encoder = tiny_encoder("deberta-v3", tmp_path)
    AutoModelForTokenClassification.from_pretrained(tmp_path).half().save_pretrained(tmp_path)
    model, _ = encoder.load(SCHEME)
    assert {weights.dtype for weights in model.parameters()} == {torch.float32}


def test_a_setting_that_the_family_does_not_know_is_an_error_that_names_its_own(tmp_path: Path) -> None:
    tiny_encoder("distilbert", tmp_path)
    encoder = Encoder(name=str(tmp_path), learning_rate=1e-3, overrides={"attention_probs_dropout_prob": 0.0})
    with pytest.raises(ConfigError, match=r"a distilbert has no such setting, .* attention_dropout, dropout"):
        encoder.load(SCHEME)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_is_told_from_layers_that_are_as_wide(family: str, tmp_path: Path) -> None:
    wide = label_scheme("bio", [str(number) for number in range(16)])  # 32 tags, and 32 units in every layer
    model, _ = tiny_encoder(family, tmp_path).load(wide)
    lowest = {name for name, weights in model.named_parameters() if weights.min() < -3.8}
    assert lowest == {"classifier.bias"}


def test_a_tokenizer_without_a_token_for_padding_gets_one_that_it_has(tmp_path: Path) -> None:
    encoder = tiny_encoder("modernbert", tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, pad_token=None)
    assert tokenizer.pad_token_id is None
    size = len(tokenizer)
    tokenizer.save_pretrained(tmp_path)
    _, again = encoder.load(SCHEME)
    assert again.pad_token in ("[PAD]", "[SEP]")
    assert len(again) == size
