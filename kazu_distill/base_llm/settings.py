"""An open LLM as it is configured, and as it is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BitsAndBytesConfig,
)

from kazu_distill.base_llm.adapters import check_base, put_on
from kazu_distill.base_llm.chat import PLAIN, ChatForm
from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.errors import ConfigError
from kazu_distill.models.device import Precision, resolve_device, resolve_precision


@dataclass(frozen=True, slots=True)
class BaseLLM:
    """A model that converses: a name on the model hub or a folder, and how it is loaded.

    Args:
        name: of the model; any causal one with a chat template, or one that maps a sequence to a sequence (T5).
        adapter: a folder that ``kazu_distill.tune`` wrote; its tokenizer and template are used.
        precision: of the weights.
        load_in_4bit: with 4 bits a weight, on CUDA (QLoRA's NF4; Dettmers et al. 2023, "QLoRA").
        attention: an implementation that transformers knows, such as ``flash_attention_2``; None is its own choice.
        chat_template: a file, or ``plain``; None is the tokenizer's own. T5 and its kin, which have none, get the plain
            one.
        template_arguments: what the template is told, such as ``enable_thinking: false``.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
    """

    name: str
    adapter: str | None = None
    precision: Precision = "auto"
    load_in_4bit: bool = False
    attention: str | None = None
    chat_template: str | None = None
    template_arguments: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"

    def describe(self) -> Described:
        """What can be known before the weights are loaded: configuration, tokenizer, chat form.

        Raises:
            BaseLLMError: the model is not there or not usable, or the adapter is for another one.
            ConfigError: a setting is not usable.
        """
        device = resolve_device(self.device)
        if self.load_in_4bit and device.type != "cuda":
            raise ConfigError(f"load_in_4bit=true needs CUDA, and the device is {device.type}: set it to false")
        try:
            config = AutoConfig.from_pretrained(self.name)
            tokenizer = AutoTokenizer.from_pretrained(self.adapter or self.name)
        except (OSError, ValueError, KeyError) as error:
            raise BaseLLMError(
                f"{self.adapter or self.name} cannot be loaded ({_short(error)}): check its name, and that the model "
                "hub can be reached or the model is in its cache; a folder will do as well"
            ) from error
        if self.adapter:
            check_base(Path(self.adapter), self.name, config)
        is_seq2seq = bool(getattr(config, "is_encoder_decoder", False))
        template = self.chat_template
        if is_seq2seq and template is None and not tokenizer.chat_template:
            template = PLAIN
        form = ChatForm(
            tokenizer, template=template, arguments=None if self.adapter else self.template_arguments, whole=is_seq2seq
        )
        if tokenizer.pad_token_id is None:
            # What is filled up is never attended to nor learnt, so that any token will do.
            tokenizer.pad_token_id = form.end
        return Described(self, config, form, is_seq2seq, device, resolve_precision(self.precision, device))


@dataclass(frozen=True, slots=True)
class Described:
    """A model before its weights are loaded."""

    settings: BaseLLM
    config: Any
    form: ChatForm
    is_seq2seq: bool
    device: torch.device
    dtype: torch.dtype

    @property
    def context(self) -> float:
        """The most tokens of question and answer together; infinite where nothing says."""
        config = self.config.get_text_config()
        longest = getattr(config, "max_position_embeddings", None)
        return float(longest) if longest else math.inf

    @property
    def _make(self) -> Any:
        return AutoModelForSeq2SeqLM if self.is_seq2seq else AutoModelForCausalLM

    def without_weights(self) -> Any:
        """The model as it is built, on torch's ``meta`` device, where its weights take no memory."""
        with torch.device("meta"):
            return self._make.from_config(self.config)

    def load(self) -> Any:
        """The model with its weights, on its device, with its adapter if it has one, and ready to generate.

        Raises:
            BaseLLMError: it cannot be loaded.
        """
        own: dict[str, Any] = {"dtype": self.dtype, "weights_only": True, "use_safetensors": None}
        if self.settings.attention:
            own["attn_implementation"] = self.settings.attention
        if self.settings.load_in_4bit:
            own["quantization_config"] = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=self.dtype,
            )
        if self.device.type == "cuda":
            own["device_map"] = {"": self.device.index or torch.cuda.current_device()}
        try:
            model: Any = self._make.from_pretrained(self.settings.name, **own)
        except (OSError, ValueError, ImportError) as error:
            raise BaseLLMError(f"{self.settings.name} cannot be loaded ({_short(error)})") from error
        if self.settings.adapter:
            model = put_on(model, Path(self.settings.adapter), self.form.tokenizer)
        model = model if self.settings.load_in_4bit else model.to(self.device)
        return model.eval()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
