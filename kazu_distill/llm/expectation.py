"""What a request will take, as far as the ones before it tell."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kazu_distill.llm.protocol import Request, Usage
from kazu_distill.llm.tokens import estimate_tokens

# Before anything was answered: an answer of JSON is seldom longer than two tokens for one of the text.
_FIRST_RATIO = 2.0
_FIRST_RATIO_OF_TEXT = 6.0  # of what is no JSON: it may repeat the text, a line for each token
_SHORT = 50  # tokens; a text of none still gets an answer


@dataclass(frozen=True, slots=True)
class Size:
    """Estimated tokens of all that a request sends, and of the user's message alone; whether it asks for JSON."""

    asked: int
    question: int
    structured: bool


class Expectation:
    """Learns from each answer's usage; a limit on tokens wants what is likely, a budget what is seldom exceeded.

    Args:
        most_output: the longest answer that the model may write, in tokens.
    """

    def __init__(self, *, most_output: int | None = None) -> None:
        self._most_output = most_output
        self._instructions: dict[str, int] = {}
        self._input_ratio = 0.0  # the largest of counted to estimated tokens
        self._output_ratio = 0.0  # the largest of output to the question's own tokens
        self._outputs = 0
        self._answers = 0

    def size(self, request: Request) -> Size:
        """How long a request is, as far as its text tells."""
        if request.system not in self._instructions:  # with an answer schema of its own
            schema = estimate_tokens(json.dumps(dict(request.answer_schema)))
            self._instructions[request.system] = estimate_tokens(request.system) + schema
        question = estimate_tokens(request.user)
        earlier = sum(estimate_tokens(turn.text) for turn in request.earlier)
        asked = max(1, self._instructions[request.system] + earlier + question)
        return Size(asked, question, bool(request.answer_schema))

    @property
    def answers(self) -> int:
        """How many answers it has learnt from."""
        return self._answers

    def upper(self, size: Size) -> Usage:
        """The tokens that a request will hardly exceed."""
        first = _FIRST_RATIO if size.structured else _FIRST_RATIO_OF_TEXT
        output = (self._output_ratio or first) * (size.question + _SHORT)
        if self._most_output is not None:
            output = min(output, self._most_output)
        return Usage(round(size.asked * (self._input_ratio or 1.2)), round(output))

    def likely(self, size: Size) -> int:
        """Input and output tokens together, as they are on average."""
        output = self._outputs / self._answers if self._answers else size.question
        return round(size.asked * (self._input_ratio or 1.0) + output)

    def learn(self, size: Size, usage: Usage) -> None:
        """Take note of what a request took, if its provider counts."""
        if not usage.input_tokens:
            return
        self._input_ratio = max(self._input_ratio, usage.input_tokens / size.asked)
        self._output_ratio = max(self._output_ratio, usage.output_tokens / (size.question + _SHORT))
        self._outputs += usage.output_tokens
        self._answers += 1
