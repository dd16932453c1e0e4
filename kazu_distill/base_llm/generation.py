"""Answers out of a model, several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import FinishReason, Sampling


@dataclass(frozen=True, slots=True)
class Generated:
    """An answer's text, why it ended, and the tokens of question and answer."""

    text: str
    finish_reason: FinishReason
    input_tokens: int
    output_tokens: int


class Generator:
    """Has a loaded model answer questions.

    Args:
        described: the model's form and device.
        model: with its weights.
    """

    def __init__(self, described: Described, model: Any) -> None:
        self._described = described
        self._form = described.form
        self._model = model

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Sequence[int]], sampling: Sampling) -> list[Generated]:
        """The answers to questions, given as tokens; all in one batch, filled up on the left.

        Args:
            prompts: as ``ChatForm.prompt`` gives them.
            sampling: temperature 0 or None takes the likeliest token each time.
        """
        padding, longest = self._form.tokenizer.pad_token_id, max(map(len, prompts))
        filled = [[padding] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        device = self._described.device
        output = self._model.generate(
            input_ids=torch.tensor(filled, device=device),
            attention_mask=torch.tensor(mask, device=device),
            generation_config=self._config(sampling),
        )
        begun = 1 if self._described.is_seq2seq else longest  # a decoder of its own begins with its start token
        return [self._generated(len(prompt), row[begun:].tolist()) for prompt, row in zip(prompts, output, strict=True)]

    def _config(self, sampling: Sampling) -> GenerationConfig:
        settings: dict[str, Any] = {"do_sample": bool(sampling.temperature)}
        if sampling.temperature:
            settings |= {"temperature": sampling.temperature, "top_p": sampling.top_p or 1.0, "top_k": 0}
        if self._described.is_seq2seq:
            settings["decoder_start_token_id"] = self._described.config.decoder_start_token_id
        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=sampling.max_output_tokens,
            eos_token_id=self._form.end,
            pad_token_id=self._form.tokenizer.pad_token_id,
            **settings,
        )

    def _generated(self, asked: int, tokens: list[int]) -> Generated:
        ended = self._form.end in tokens
        own = tokens[: tokens.index(self._form.end)] if ended else tokens
        return Generated(
            text=self._form.text(own),
            finish_reason=FinishReason.STOP if ended else FinishReason.LENGTH,
            input_tokens=asked,
            output_tokens=len(own) + ended,
        )
