"""The folder of a saved tagger: a standard ``transformers`` one, with schema and settings beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import load_tokenizer
from kazu_distill.tagger.labels import LabelScheme, scheme_of_tags
from kazu_distill.tagger.settings import TaggerSettings

_SETTINGS, _SCHEMA = "tagger.json", "schema.json"


@dataclass(frozen=True, slots=True)
class TaggerParts:
    """What a tagger is made of beside the model: its fast tokenizer, classes, tags and settings."""

    tokenizer: Any
    schema: Schema
    scheme: LabelScheme
    settings: TaggerSettings


def save_parts(folder: Path, parts: TaggerParts) -> None:
    """Write them beside a model."""
    parts.tokenizer.model_max_length = parts.settings.max_length  # others pad to it
    parts.tokenizer.save_pretrained(folder)
    parts.schema.save(folder / _SCHEMA)
    (folder / _SETTINGS).write_text(json.dumps(asdict(parts.settings), indent=2) + "\n", encoding="utf-8")


def load_parts(folder: Path) -> TaggerParts:
    """Read what ``save_parts`` wrote.

    Raises:
        ConfigError: the folder has no tagger, or a part of it cannot be read.
    """
    for name in (_SETTINGS, _SCHEMA):
        if not (folder / name).is_file():
            raise ConfigError(f"{folder} is not a model of kazu_distill.train: it has no {name}")
    try:
        config = AutoConfig.from_pretrained(folder)
        tokenizer = load_tokenizer(str(folder))
        settings = TaggerSettings(**json.loads((folder / _SETTINGS).read_text(encoding="utf-8")))
        scheme = scheme_of_tags([config.id2label[index] for index in range(config.num_labels)])
    except (OSError, ValueError, TypeError) as error:
        raise unloadable(folder, error) from error
    schema = Schema.load(folder / _SCHEMA)
    if scheme.labels != schema.labels:
        raise ConfigError(f"the model in {folder} has other classes than its {_SCHEMA}: train it again")
    return TaggerParts(tokenizer, schema, scheme, settings)


def unloadable(folder: Path, error: Exception) -> ConfigError:
    """The error that says that a model cannot be loaded, and why."""
    return ConfigError(f"the model in {folder} cannot be loaded: {' '.join(str(error).split())[:300]}")
