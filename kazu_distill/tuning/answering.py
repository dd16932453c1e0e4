"""A model's answers to the questions of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.base_llm.generation import Generator
from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import Sampling
from kazu_distill.tuning.rows import Row

_ROOM = 1.25  # an answer may be longer than the longest right one


class Answering:
    """Has a model answer questions, the likeliest token each time and free to write what it likes.

    Args:
        described: the model's form and device.
        rows: the questions, with the right answers.
        batch_tokens: of the questions that are answered at once.

    Raises:
        BaseLLMError: the model's context has no room for a question and its right answer.
    """

    def __init__(self, described: Described, rows: Sequence[Row], *, batch_tokens: int) -> None:
        self._described = described
        self._prompts = [row.prompt.tolist() for row in rows]
        self.batch_tokens = batch_tokens
        longest = max(map(len, rows))
        if longest > described.context:
            raise BaseLLMError(
                f"a question of eval with its right answer has {longest:,} tokens, and {described.settings.name} takes "
                f"{described.context:,.0f}: write shorter records (python -m kazu_distill.instruct write "
                "chunks.tokens=…, fewer examples, shorter definitions), or choose a model with a longer context"
            )
        most = round(_ROOM * max(len(row.answer) for row in rows)) + 8
        self._sampling = Sampling(temperature=0.0, top_p=None, max_output_tokens=most)

    @property
    def questions(self) -> int:
        """How many there are."""
        return len(self._prompts)

    def __call__(self, model: Any, numbers: Sequence[int]) -> list[str]:
        """The answers to the questions of these numbers, in their order."""
        # A new one each time: it keeps what the weights made of the questions' beginning.
        generator = Generator(self._described, model, batch_tokens=self.batch_tokens)
        return [each.text for each in generator.generate([self._prompts[number] for number in numbers], self._sampling)]
