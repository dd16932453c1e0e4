"""How many tokens what is shown may take."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.shown import Example

_Shown = TypeVar("_Shown")


def example_tokens(example: Example) -> int:
    """About how many tokens an example takes: its text, and its mentions as JSON."""
    mentions = [
        {"entity_match": example.text[span.start : span.end], "entity_class": span.label} for span in example.spans
    ]
    answer = json.dumps({"entities": mentions}, ensure_ascii=False)
    return estimate_tokens(example.text) + estimate_tokens(answer)


def within(shown: Iterable[_Shown], tokens: Callable[[_Shown], int], most: int) -> list[_Shown]:
    """What fits, in the order given; what does not is left out whole, and what comes after it may still fit."""
    kept: list[_Shown] = []
    for one in shown:
        needed = tokens(one)
        if needed <= most:
            kept.append(one)
            most -= needed
    return kept
