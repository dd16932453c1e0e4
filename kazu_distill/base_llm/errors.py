"""What is wrong with an open LLM, or with what is asked of it."""

from __future__ import annotations

from kazu_distill.errors import KazuDistillError


class BaseLLMError(KazuDistillError):
    """A model cannot be loaded, tuned or asked; the message says what to change."""


class NoChatTemplate(BaseLLMError):
    """A tokenizer does not say how a conversation is written."""


class OtherBase(BaseLLMError):
    """An adapter was made for another model."""


class OutOfMemory(BaseLLMError):
    """The device has not enough memory; the message says what to lower."""
