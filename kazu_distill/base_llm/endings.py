"""Where the answers of a batch end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import StoppingCriteria

from kazu_distill.llm.protocol import FinishReason


class TokenTexts:
    """What single tokens say, looked up once each; parts of a character say nothing useful."""

    def __init__(self, text: Callable[[list[int]], str]) -> None:
        self.text = text
        self._known: dict[int, str] = {}

    def __getitem__(self, token: int) -> str:
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = self.text([token])
        return known


class Endings(StoppingCriteria):
    """Ends each row of a batch at a token that ends answers, at its limit, or where its JSON object is whole.

    Most models would go on behind an object, some for long. What counts as whole is what ``json`` reads, so that an
    answer is never cut short; it is looked at only where as many braces were closed as opened.

    Args:
        ends: the tokens that end an answer.
        limits: the most tokens of each row's answer.
        objects: whether each row's answer is to be a JSON object.
        texts: what tokens say.
        stopped: when set, all rows end.
    """

    def __init__(
        self,
        *,
        ends: frozenset[int],
        limits: Sequence[int],
        objects: Sequence[bool],
        texts: TokenTexts,
        stopped: threading.Event,
    ) -> None:
        self.finished: list[FinishReason | None] = [None] * len(limits)
        self.answers: list[list[int]] = [[] for _ in limits]
        self.written = [0] * len(limits)
        """Tokens of each answer, with the one that ended it."""
        self._ends = ends
        self.limits = limits
        self._objects = objects
        self._texts = texts
        self._stopped = stopped
        self._open = [0] * len(limits)

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 — transformers gives both
        """Which rows are done, after a token has been added to each."""
        tokens = input_ids[:, -1].tolist()
        for row, token in enumerate(tokens):
            if self.finished[row] is None:
                self.finished[row] = self._after(row, token)
        stopped = self._stopped.is_set()
        return torch.tensor([stopped or reason is not None for reason in self.finished], device=input_ids.device)

    def _after(self, row: int, token: int) -> FinishReason | None:
        self.written[row] += 1
        if token in self._ends:
            return FinishReason.STOP
        self.answers[row].append(token)
        if self._objects[row]:
            said = self._texts[token]
            self._open[row] += said.count("{") - said.count("}")
            if self._open[row] <= 0 and "}" in said and self._is_object(row):
                return FinishReason.STOP
        return FinishReason.LENGTH if self.written[row] >= self.limits[row] else None

    def _is_object(self, row: int) -> bool:
        try:
            return isinstance(json.loads(self._texts.text(self.answers[row])), dict)
        except (ValueError, RecursionError):
            return False
