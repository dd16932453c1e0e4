"""Saved taggers for tests of exporting: tiny encoders that find something, though they have learnt nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from kazu_distill.documents import Document, Section
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.saved import TaggerParts, save_parts
from kazu_distill.tagger.settings import TaggerSettings

SCHEMA = Schema(name="test", classes={"gene": {}, "disease": {}})
TEXTS = [
    "EGFR causes gout in some patients; TP53 and asthma (type-2) were seen with IL-6, too.",
    "Nothing.",
    "α-synuclein: 3,5 µg/ml\nwas given. " * 6,
]
DOCUMENTS = [Document(str(number), (Section("", text),)) for number, text in enumerate(TEXTS)]


def save_tagger(
    encoder: Encoder, folder: Path, *, change: Callable[[Any], None] | None = None, schema: Schema = SCHEMA
) -> Path:
    """A saved tagger with large weights in its head, so that about half of its probabilities are above a half.

    ``change`` is done to the model before it is saved.
    """
    scheme = label_scheme("bio", schema.labels)
    model, tokenizer = encoder.load(scheme)
    head = head_of(model)
    torch.manual_seed(2)
    nn.init.normal_(head.weight, std=1.0)
    nn.init.zeros_(head.bias)
    if change:
        change(model)
    model.save_pretrained(folder)  # type: ignore[operator]
    save_parts(folder, TaggerParts(tokenizer, schema, scheme, TaggerSettings(max_length=32, stride=8)))
    return folder


def head_of(model: Any) -> nn.Linear:
    """The layer that gives the tags."""
    return next(layer for layer in model.children() if isinstance(layer, nn.Linear))
