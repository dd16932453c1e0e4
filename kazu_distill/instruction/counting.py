"""How many records there are, how long they are, and what it costs to tune with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kazu_distill.errors import ConfigError
from kazu_distill.instruction.making import Back, LeftOut
from kazu_distill.instruction.records import Asked, Record
from kazu_distill.llm.tokens import estimate_tokens

CountTokens = Callable[[str], int]
TOO_LONG = "longer than max_tokens"
_PER_MESSAGE = 4  # tokens that mark a message's role and end (OpenAI Cookbook, "How to count tokens": 3 or 4)
_SHARE = 0.95


class RecordLength:
    """The tokens of records: of all that is said, with what marks the messages.

    Args:
        count: the tokens of a text.
    """

    def __init__(self, count: CountTokens) -> None:
        self._count = count
        self._count_again = lru_cache(1024)(count)  # guidelines and examples come again and again

    def __call__(self, record: Record) -> int:
        said = (record.instructions, *(turn.text for turn in record.earlier))
        messages = len(record.earlier) + 3
        own = self._count(record.text) + self._count(record.answer)
        return sum(map(self._count_again, said)) + own + _PER_MESSAGE * messages


@dataclass(slots=True)
class PartCounts:
    """What becomes of the documents of one part.

    ``spans`` are those of the documents; ``cut`` of them stand in no chunk whole. ``not_asked`` are spans of classes
    that no question was about. ``lengths`` has how many records are of each number of tokens. ``places_open`` counts
    records whose mentions come back, but not all at their places.
    """

    documents: int = 0
    without_spans: int = 0
    spans: int = 0
    cut: int = 0
    written_spans: int = 0
    empty: int = 0
    places_open: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    first_left_out: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record, back: Back, tokens: int) -> None:
        """Count a record that is written."""
        self.lengths[tokens] += 1
        self.written_spans += record.spans
        self.empty += not record.spans
        self.places_open += back is Back.MENTIONS

    def leave_out(self, asked: Asked, why: str | LeftOut) -> None:
        """Count a question without a record."""
        self.left_out[str(why)] += 1
        self.first_left_out.setdefault(str(why), asked.id)

    @property
    def records(self) -> int:
        """How many records are written."""
        return sum(self.lengths.values())

    @property
    def tokens(self) -> int:
        """Of all records together."""
        return sum(length * count for length, count in self.lengths.items())

    @property
    def mean_tokens(self) -> float:
        """Of a record; 0 without any."""
        return self.tokens / self.records if self.records else 0.0

    @property
    def most_tokens(self) -> int:
        """Of the longest record."""
        return max(self.lengths, default=0)

    @property
    def tokens_95(self) -> int:
        """What 95 of 100 records have at most."""
        seen = 0
        for length in sorted(self.lengths):
            seen += self.lengths[length]
            if seen >= _SHARE * self.records:
                return length
        return 0

    def as_json(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "documents": self.documents,
            "documents_without_spans": self.without_spans,
            "records": self.records,
            "records_without_spans": self.empty,
            "records_whose_places_are_open": self.places_open,
            "spans": self.spans,
            "spans_cut": self.cut,
            "spans_in_records": self.written_spans,
            "tokens": {
                "total": self.tokens, "mean": round(self.mean_tokens, 1), "95_percent": self.tokens_95,
                "longest": self.most_tokens,
            },
            "left_out": dict(self.left_out),
        }  # fmt: skip


def token_counter(tokenizer: str | None) -> CountTokens:
    """What counts the tokens of a text.

    Args:
        tokenizer: a folder, or a name on the Hugging Face hub; None estimates.

    Raises:
        ConfigError: it cannot be loaded.
    """
    if tokenizer is None:
        return estimate_tokens
    from transformers import AutoTokenizer  # takes a second, which an estimate need not wait for

    try:
        loaded = AutoTokenizer.from_pretrained(tokenizer)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"tokenizer={tokenizer}: no tokenizer can be loaded from there ({reason})") from error
    loaded.model_max_length = int(1e9)  # it warns of texts that are longer than its own model takes
    return lambda text: len(loaded.encode(text, add_special_tokens=False))


def tuning_cost(tokens: int, *, epochs: float, price_per_million: float | None) -> float | None:
    """US dollars for tuning on so many tokens; None where the price is not known."""
    return None if price_per_million is None else tokens * epochs * price_per_million / 1e6
