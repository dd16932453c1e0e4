"""The pretrained encoder that the tagger starts from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from kazu_distill.errors import ConfigError
from kazu_distill.packaged import packaged_folder
from kazu_distill.tagger.labels import LabelScheme

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_PRIOR = 0.02  # share of words that a tag has before anything is learnt; a rough figure does


@dataclass(frozen=True, slots=True)
class Encoder:
    """A pretrained encoder: a name on the model hub or a folder, and what training it needs.

    ``learning_rate`` is a good one for it; ``overrides`` change its configuration, such as dropout.
    """

    name: str
    learning_rate: float
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.learning_rate, bool) or not isinstance(self.learning_rate, int | float):
            raise ConfigError(f"encoder.learning_rate is {self.learning_rate!r}: a number is needed")

    @property
    def name_on_hub(self) -> str | None:
        """The name, if it is one on the model hub; None for a folder."""
        return None if Path(self.name).exists() or not _HUB_NAME.fullmatch(self.name) else self.name

    def load(self, scheme: LabelScheme) -> tuple[nn.Module, Any]:
        """The model with a new head of one unit a tag, and its tokenizer.

        Raises:
            ConfigError: the encoder cannot be loaded, has no fast tokenizer or no head for tokens, or does not know a
                setting of ``overrides``.
        """
        tags = scheme.tags
        try:
            tokenizer = load_tokenizer(self.name)
            config, unknown = AutoConfig.from_pretrained(
                self.name,
                num_labels=len(tags),
                id2label=dict(enumerate(tags)),
                label2id={tag: index for index, tag in enumerate(tags)},
                problem_type="multi_label_classification",
                return_unused_kwargs=True,
                **self.overrides,
            )
            if unknown:
                raise _unknown_setting(min(unknown), config)
            # What lies on the hub as a pickle is read without running any of it. Sizes differ where the encoder has
            # been fine-tuned for other labels; its head is not used. Weights that lie there in 16 bits (DeBERTa-v3) are
            # trained in 32, else small updates would be lost.
            model = AutoModelForTokenClassification.from_pretrained(
                self.name, config=config, weights_only=True, ignore_mismatched_sizes=True, dtype=torch.float32
            )
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the encoder {self.name} cannot be loaded ({' '.join(str(error).split())[:200]}): check encoder.name, "
                "and that the model hub can be reached or the model is in its cache; a folder will do as well "
                "(encoder.name=/path), and encoder=minilm needs no hub"
            ) from error
        _start_anew(model, len(tags))
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = _token_for_padding(tokenizer, config)
        return model, tokenizer


def load_tokenizer(name: str) -> Any:
    """The tokenizer of a name on the model hub or in a folder.

    Raises:
        OSError, ValueError: it cannot be loaded.
        ConfigError: it gives no offsets, or it is an empty one, such as is made up where a folder has no tokenizer.
    """
    tokenizer = AutoTokenizer.from_pretrained(name)
    if not tokenizer.is_fast:
        raise ConfigError(f"{name} has no fast tokenizer, which exact offsets need; choose another encoder")
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ConfigError(f"{name} has no tokenizer files (tokenizer.json): a tokenizer without words is of no use")
    return tokenizer


def packaged_encoder(*, package: str, folder: str, **settings: Any) -> Encoder:
    """An encoder whose files a Python package carries, in a folder beside its ``__init__.py``.

    Raises:
        ConfigError: the package is not installed.
    """
    return Encoder(name=packaged_folder(package, folder), **settings)


def check_length(model: nn.Module, max_length: int) -> None:
    """Check that windows are no longer than the model has positions for.

    Raises:
        ConfigError: they are.
    """
    config: Any = model.config
    longest = getattr(config, "max_position_embeddings", None) or math.inf
    for name, layer in model.named_modules():
        # RoBERTa and its kin count positions from behind the padding token's on.
        if name.endswith("position_embeddings") and isinstance(layer, nn.Embedding) and layer.padding_idx is not None:
            longest = min(longest, layer.num_embeddings - layer.padding_idx - 1)
    if max_length > longest:
        raise ConfigError(f"tagger.max_length={max_length} is more than the encoder can take ({longest} tokens)")


def _start_anew(model: nn.Module, tags: int) -> None:
    """Give the head new weights, and let every tag begin at a low probability.

    Else the first steps are spent on learning that most words are in no span: Lin et al. 2017, "Focal Loss for Dense
    Object Detection", section 4.1.

    Raises:
        ConfigError: the model has no linear layer with a unit and a bias for each tag on top.
    """
    # Not any layer of that width: one of the encoder may have it by chance.
    head = next((layer for layer in model.children() if isinstance(layer, nn.Linear)), None)
    if head is None or head.out_features != tags or head.bias is None:
        raise ConfigError(f"a {type(model).__name__} has no linear layer over tokens on top: choose another encoder")
    nn.init.normal_(head.weight, std=0.02)
    nn.init.constant_(head.bias, -math.log((1 - _PRIOR) / _PRIOR))


def _unknown_setting(name: str, config: Any) -> ConfigError:
    dropouts = ", ".join(sorted(setting for setting in config.to_dict() if "dropout" in setting))
    return ConfigError(
        f"encoder.overrides.{name}: a {config.model_type} has no such setting, and calls its dropouts {dropouts}; "
        f"choose the file in conf/encoder that fits it, or take the setting away with ~encoder.overrides.{name}"
    )


def _token_for_padding(tokenizer: Any, config: Any) -> str:
    """A token to fill up with, where the tokenizer names none; no attention is paid to it.

    It must be a special one already, else texts would be cut at it. The model's own is best.

    Raises:
        ConfigError: the tokenizer has no special tokens.
    """
    special = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    wanted = (config.pad_token_id, tokenizer.eos_token_id, tokenizer.sep_token_id, *special)
    token: str | None = next((special[number] for number in wanted if number in special), None)
    if token is None:
        raise ConfigError(f"the tokenizer of {tokenizer.name_or_path} has no special token to fill up with")
    return token
