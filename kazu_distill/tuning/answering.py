"""A model's answers to many questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kazu_distill.base_llm.errors import BaseLLMError
from kazu_distill.base_llm.generation import Generator
from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import Sampling
from kazu_distill.tuning.rows import Row

_ROOM = 1.25  # an answer may be longer than the right one, by how much is a guess


class Answering:
    """Has a model answer questions, the likeliest token each time, those of like length together.

    Args:
        described: the model's form and device.
        rows: the questions, with the right answers: a quarter more than the longest has is how long an answer may be.
        batch: questions at once.

    Raises:
        BaseLLMError: the model's context has no room for a question and its right answer.
    """

    def __init__(self, described: Described, rows: Sequence[Row], *, batch: int) -> None:
        self._described = described
        self._rows = rows
        self._batch = batch
        longest = max(map(len, rows))
        if longest > described.context:
            raise BaseLLMError(
                f"a question of eval with its right answer has {longest:,} tokens, and {described.settings.name} takes "
                f"{described.context:,.0f}: write shorter records (python -m kazu_distill.instruct write "
                "chunks.tokens=…, fewer examples, shorter definitions), or choose a model with a longer context"
            )
        self._most = round(_ROOM * max(len(row.answer) for row in rows)) + 8

    @property
    def questions(self) -> int:
        """How many there are."""
        return len(self._rows)

    def __call__(self, model: Any, numbers: Sequence[int]) -> list[str]:
        """The answers to the questions of these numbers, in their order."""
        generator = Generator(self._described, model)
        answers: dict[int, str] = {}
        in_order = sorted(numbers, key=lambda number: -len(self._rows[number].prompt))
        for start in range(0, len(in_order), self._batch):
            chosen = in_order[start : start + self._batch]
            prompts = [self._rows[number].prompt.tolist() for number in chosen]
            room = self._described.context - max(map(len, prompts))
            sampling = Sampling(temperature=0.0, top_p=None, max_output_tokens=int(min(self._most, room)))
            said = generator.generate(prompts, sampling)
            answers |= {number: each.text for number, each in zip(chosen, said, strict=True)}
        return [answers[number] for number in numbers]
