"""What is wrong with an open LLM, or with what is asked of it."""

from __future__ import annotations

from kazu_distill.errors import KazuDistillError

_NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


class BaseLLMError(KazuDistillError):
    """A model cannot be loaded, tuned or asked; the message says what to change."""


class NoChatTemplate(BaseLLMError):
    """A tokenizer does not say how a conversation is written."""


class OtherBase(BaseLLMError):
    """An adapter was made for another model."""


class OutOfMemory(BaseLLMError):
    """The device has not enough memory; the message says what to lower."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device had no memory left; CUDA has a class for it, the CPU and MPS have words alone."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)
