"""Adapters: small sets of weights beside those of a base model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from kazu_distill.base_llm.errors import BaseLLMError, OtherBase, is_out_of_memory
from kazu_distill.errors import ConfigError

_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"  # and no pickle
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
    return str(_read(adapter, _CONFIG, "base_model_name_or_path"))


def _read(adapter: Path, name: str, *keys: str) -> Any:
    """What stands in a file of an adapter, below these keys."""
    try:
        found = json.loads((adapter / name).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError(f"{type(found).__name__} in place of an object")
        for key in keys:
            found = found[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BaseLLMError(
            f"{adapter} is no adapter ({name} is missing or not readable): give a folder that kazu_distill.tune wrote"
        ) from error
    return found


def check_base(adapter: Path, name: str, config: Any) -> None:
    """Check that an adapter was made for a model of this shape; the name alone may differ, as folders move.

    Raises:
        OtherBase: it was not.
        BaseLLMError: the folder is no adapter.
    """
    base = base_of(adapter)
    if not (adapter / SHAPE_FILE).is_file():
        return
    wanted = _read(adapter, SHAPE_FILE)
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
        BaseLLMError: the folder is no whole adapter.
        OtherBase: the weights do not fit.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ConfigError('an adapter needs peft: pip install "kazu-distill[open-llm]"') from error
    base = base_of(adapter)
    if not (adapter / _WEIGHTS).is_file():
        raise BaseLLMError(f"{adapter} is no whole adapter ({_WEIGHTS} is missing): was tuning cut short?")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (SafetensorError, OSError, KeyError) as error:
        raise BaseLLMError(
            f"the adapter {adapter} cannot be read ({' '.join(str(error).split())[:200]}): copy it again, or tune again"
        ) from error
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise OtherBase(
            f"the adapter {adapter} does not fit {model.name_or_path} ({' '.join(str(error).split())[:200]}): give the "
            f"model that it was made for, {base}"
        ) from error
