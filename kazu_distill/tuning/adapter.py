"""What of a model is tuned: an adapter, or all its weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from transformers import set_seed

from kazu_distill.base_llm.settings import Described
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.tuning.vocabulary import vocabulary_layers

INSTALL = 'pip install "kazu-distill[open-llm]"'


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """A small set of weights beside a model's own, which stay as they are.

    Args:
        kind: ``lora`` (Hu et al. 2021, "LoRA") or ``dora``, which learns a weight's size apart from its direction (Liu
            et al. 2024, "DoRA").
        rank: of the matrices that are learnt.
        alpha: what they add is multiplied by ``alpha / rank``.
        dropout: the share of an adapter's inputs that is dropped in training.
        target: names of the linear layers that get one; ``all-linear`` is all but the head.

    Raises:
        ConfigError: a value is out of range.
    """

    kind: Literal["lora", "dora"] = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    target: str | Sequence[str] = "all-linear"

    def __post_init__(self) -> None:
        """Check the values."""
        if self.kind not in ("lora", "dora"):
            raise ConfigError(f"adapter.kind={self.kind}: choose lora or dora; adapter=null tunes all weights")
        require_number("adapter.rank", self.rank, above=0, whole=True)
        require_number("adapter.alpha", self.alpha, above=0)
        require_number("adapter.dropout", self.dropout)
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"adapter.dropout={self.dropout}: a share from 0 up to 1 is needed")

    def put_on(self, model: Any, *, described: Described, tokens: Sequence[int] = (), seed: int = 0) -> Any:
        """A model with a new adapter on it, whose weights alone will be trained.

        Args:
            model: without an adapter.
            described: the same model.
            tokens: that were added to the vocabulary; what the model has for them is learnt too.
            seed: of the adapter's first weights.

        Raises:
            ConfigError: peft is not there, or no layer has such a name.
        """
        set_seed(seed)
        if described.settings.load_in_4bit:
            model = _peft().prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        model = self._put_on(model, is_seq2seq=described.is_seq2seq, tokens=tokens)
        # Else it saves the whole of a vocabulary that has grown, with every checkpoint.
        model.save_pretrained = partial(model.save_pretrained, save_embedding_layers=False)
        return model

    def weights(self, described: Described, *, tokens: int) -> int:
        """How many numbers are trained, without a model in memory; ``tokens`` are added to its vocabulary.

        Raises:
            ConfigError: as ``put_on``.
        """
        model = described.without_weights()
        width: int = sum(layer.weight.shape[1] for layer in vocabulary_layers(model))
        with torch.device("meta"):
            model = self._put_on(model, is_seq2seq=described.is_seq2seq, tokens=())
        trained: int = sum(each.numel() for each in model.parameters() if each.requires_grad)
        return trained + tokens * width

    def _put_on(self, model: Any, *, is_seq2seq: bool, tokens: Sequence[int]) -> Any:
        peft = _peft()
        settings = peft.LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=self.target if isinstance(self.target, str) else list(self.target),
            use_dora=self.kind == "dora",
            task_type="SEQ_2_SEQ_LM" if is_seq2seq else "CAUSAL_LM",
            trainable_token_indices=_named(model, tokens) if tokens else None,
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on what peft does with layers that share weights, and deprecations
                return peft.get_peft_model(model, settings)
        except ValueError as error:
            raise ConfigError(f"adapter.target={self.target}: {' '.join(str(error).split())[:200]}") from error


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ConfigError(f"an adapter needs peft: {INSTALL}; adapter=null tunes all weights") from error
    return peft


def _named(model: Any, tokens: Sequence[int]) -> dict[str, list[int]]:
    names = {id(module): name for name, module in model.named_modules()}
    return {names[id(layer)]: list(tokens) for layer in vocabulary_layers(model)}
