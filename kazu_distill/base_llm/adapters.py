"""Adapters: small sets of weights beside those of a base model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kazu_distill.base_llm.errors import BaseLLMError, OtherBase
from kazu_distill.errors import ConfigError

_CONFIG = "adapter_config.json"
_SHAPE = ("model_type", "hidden_size", "d_model", "num_hidden_layers", "num_layers", "num_attention_heads", "num_heads")
SHAPE_FILE = "base_shape.json"
"""What tells the base model's shape, beside the adapter."""


def shape_of(config: Any) -> dict[str, Any]:
    """What of a model's configuration an adapter depends on, and its vocabulary's size."""
    own = config.get_text_config()
    return {name: getattr(own, name) for name in _SHAPE if hasattr(own, name)} | {"vocab_size": own.vocab_size}


def base_of(adapter: Path) -> str:
    """The name of the model that an adapter was made for.

    Raises:
        BaseLLMError: the folder is no adapter.
    """
    try:
        name = json.loads((adapter / _CONFIG).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError) as error:
        raise BaseLLMError(
            f"{adapter} is no adapter ({_CONFIG} is missing or not readable): give a folder that "
            "kazu_distill.tune wrote"
        ) from error
    return str(name)


def check_base(adapter: Path, name: str, config: Any) -> None:
    """Check that an adapter was made for a model of this shape; the name alone may differ, as folders move.

    Raises:
        OtherBase: it was not.
        BaseLLMError: the folder is no adapter.
    """
    base = base_of(adapter)
    if not (adapter / SHAPE_FILE).is_file():
        return
    wanted = json.loads((adapter / SHAPE_FILE).read_text(encoding="utf-8"))
    found = shape_of(config)
    for key, value in wanted.items():
        if found.get(key) != value:
            raise OtherBase(
                f"the adapter {adapter} was made for {base} ({key} {value}), and {name} has {key} {found.get(key)}: "
                "give the model that it was made for"
            )


def put_on(model: Any, adapter: Path, tokenizer: Any) -> Any:
    """A model with an adapter on it; its vocabulary grows to the tokenizer's, if tokens were added for tuning.

    Raises:
        ConfigError: peft is not installed.
        OtherBase: the weights do not fit.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ConfigError('an adapter needs peft: pip install "kazu-distill[open-llm]"') from error
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (RuntimeError, ValueError) as error:
        raise OtherBase(
            f"the adapter {adapter} does not fit {model.name_or_path} ({' '.join(str(error).split())[:200]}): give the "
            f"model that it was made for, {base_of(adapter)}"
        ) from error
