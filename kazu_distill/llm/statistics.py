"""What a run asked, saved and spent."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kazu_distill.llm.protocol import Answer, LLMError, Price, Usage


class Percentiles:
    """Percentiles of positive numbers in memory that does not grow with their count, to within a hundredth."""

    _GROWTH = math.log(1.02)  # each bin is 2 % wide, and its middle is told

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Count a value; what is below a microsecond counts as one."""
        self._bins[math.floor(math.log(max(value, 1e-6)) / self._GROWTH)] += 1

    def at(self, percent: float) -> float | None:
        """The smallest value that at least ``percent`` per cent of the values do not exceed; None of no values."""
        wanted = self._bins.total() * percent / 100
        for number in sorted(self._bins):
            wanted -= self._bins[number]
            if wanted <= 1e-9:
                return math.exp((number + 0.5) * self._GROWTH)
        return None


@dataclass(slots=True)
class Statistics:
    """Counts of one model in one run; tokens and latencies are of the answers that were asked for, not of stored ones.

    ``stored`` is what the stored answers took when they were asked for. ``failed`` counts requests that brought no
    answer after all attempts, ``retries`` the attempts after the first by what made them necessary.
    """

    price: Price | None = None
    asked: int = 0
    from_store: int = 0
    failed: int = 0
    retries: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    stored: Usage = field(default_factory=Usage)
    latency_s: Percentiles = field(default_factory=Percentiles)

    def count(self, answer: Answer) -> None:
        """Count an answer that a provider gave."""
        self.asked += 1
        self.input_tokens += answer.usage.input_tokens
        self.output_tokens += answer.usage.output_tokens
        self.latency_s.add(answer.latency_s)

    def count_stored(self, answer: Answer) -> None:
        """Count an answer that was in the store."""
        self.from_store += 1
        used = answer.usage
        self.stored = Usage(
            self.stored.input_tokens + used.input_tokens, self.stored.output_tokens + used.output_tokens
        )

    def count_retry(self, error: LLMError) -> None:
        """Count a failure after which a request is asked again."""
        self.retries[error.kind] += 1

    @property
    def cost_usd(self) -> float | None:
        """US dollars spent; None where the price is not known. What failed attempts cost is not in it."""
        return None if self.price is None else self.price.cost(Usage(self.input_tokens, self.output_tokens))

    @property
    def answers_cost_usd(self) -> float | None:
        """What all answers cost at this price, those of the store too; None where price or tokens are not known.

        An answer without a question's tokens is of a server that does not count them.
        """
        used = Usage(self.input_tokens + self.stored.input_tokens, self.output_tokens + self.stored.output_tokens)
        return None if self.price is None or not used.input_tokens else self.price.cost(used)

    def as_mapping(self) -> dict[str, Any]:
        """The counts as JSON values; cost in US dollars, latency percentiles in seconds."""
        return {
            "asked": self.asked,
            "from_store": self.from_store,
            "failed_requests": self.failed,
            "retries": dict(self.retries.most_common()),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "stored_input_tokens": self.stored.input_tokens,
            "stored_output_tokens": self.stored.output_tokens,
            "cost_usd": self.cost_usd,
            "answers_cost_usd": self.answers_cost_usd,
            "latency_s": {f"p{percent}": _rounded(self.latency_s.at(percent)) for percent in (50, 90, 99)},
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds:.3g}")
