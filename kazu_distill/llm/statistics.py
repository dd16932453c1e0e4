"""What a run asked, saved and spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kazu_distill.llm.protocol import Answer, Price, Usage


@dataclass(slots=True)
class Statistics:
    """Counts of one run; tokens and latencies (in seconds) are of the answers that were asked for, not of stored ones.

    ``failed`` counts requests that brought no answer after all attempts, ``retries`` the attempts after the first.
    """

    price: Price | None = None
    asked: int = 0
    from_store: int = 0
    failed: int = 0
    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    latencies_s: list[float] = field(default_factory=list)

    def count(self, answer: Answer) -> None:
        """Count an answer that a provider gave."""
        self.asked += 1
        self.input_tokens += answer.usage.input_tokens
        self.output_tokens += answer.usage.output_tokens
        self.latencies_s.append(answer.latency_s)

    @property
    def cost_usd(self) -> float | None:
        """US dollars spent; None where the price is not known. What failed attempts cost is not in it."""
        return None if self.price is None else self.price.cost(Usage(self.input_tokens, self.output_tokens))

    def as_mapping(self) -> dict[str, Any]:
        """The counts as JSON values; cost in US dollars, latency percentiles in seconds."""
        return {
            "asked": self.asked,
            "from_store": self.from_store,
            "failed_requests": self.failed,
            "retries": self.retries,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
            "latency_s": {f"p{percent}": percentile(self.latencies_s, percent) for percent in (50, 90, 99)},
        }


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest value that at least ``percent`` per cent of the values do not exceed; None where there are none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
