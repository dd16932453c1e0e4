"""How many tokens a number of requests will take, from a sample of them and from answers that there are already."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kazu_distill.llm.protocol import Usage

_EMPTY_ANSWER = 6  # tokens of {"entities": []}
# Real tokenizers on English abstracts and instructions: within 15 % of the estimate; old, small ones a fifth more.
_INPUT_RATIO = (0.85, 1.0, 1.2)
_ENOUGH = 20  # answers, for their own ratios to be better than the ones above
_REPLICATES = 400
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Range:
    """What is expected, and what it will hardly be below or above."""

    low: float
    expected: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Question:
    """Estimated tokens of a request: of everything that is sent, and of the text alone."""

    sent: int
    text: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A request whose answer is known, with what the provider counted."""

    question: Question
    usage: Usage


@dataclass(frozen=True, slots=True)
class Forecast:
    """Tokens of all requests together. ``answers``: how many answers of the model it rests on, 0 for none."""

    input_tokens: Range
    output_tokens: Range
    answers: int


class Reservoir(Generic[_T]):
    """A uniform random sample of a stream whose length nobody knows (Vitter 1985, algorithm R)."""

    def __init__(self, size: int, *, seed: int) -> None:
        self.sample: list[_T] = []
        self.seen = 0
        self._size = size
        self._chance = random.Random(seed)

    def add(self, item: _T) -> None:
        """Take note of the stream's next item."""
        self.seen += 1
        if len(self.sample) < self._size:
            self.sample.append(item)
        elif (place := self._chance.randrange(self.seen)) < self._size:
            self.sample[place] = item


def forecast(
    asked: Reservoir[Question],
    answered: Sequence[Answered],
    *,
    output_ratio: tuple[float, float, float],
    most_output: int | None,
    seed: int,
) -> Forecast:
    """The tokens that all the requests in a stream will take.

    The range joins two uncertainties. That of the sample is the middle 95 % of bootstrap replicates, narrowed as the
    sample comes near to being the whole (finite population correction), nothing where it is. That of the ratios between
    estimated and counted tokens is bootstrapped with it where there are enough answers of the model to take them from;
    else the range stated above is multiplied with it, which makes the whole range wider than 95 %.

    Args:
        asked: a sample of the requests that are to be made.
        answered: a sample of requests that were made, of the same prompt and model.
        output_ratio: tokens of output for each estimated token of a text, low, expected and high, for as long as there
            are no answers of the model; what it thinks before it answers comes on top.
        most_output: the longest answer that the model may write, in tokens.
        seed: of the bootstrap.
    """
    if not asked.seen:
        return Forecast(Range(0, 0, 0), Range(0, 0, 0), 0)
    chance = np.random.default_rng(seed)
    sent = np.array([question.sent for question in asked.sample], np.float64)
    text = np.array([question.text for question in asked.sample], np.float64)
    picks = chance.integers(0, len(sent), (_REPLICATES, len(sent)))
    counted = [one for one in answered if one.usage.input_tokens]
    calibrated = len(counted) >= _ENOUGH
    ratios = _Ratios.of(counted, chance) if calibrated else _Ratios(_stated(_INPUT_RATIO), _stated(output_ratio))

    def output(ratio: NDArray[np.float64], texts: NDArray[np.float64]) -> NDArray[np.float64]:
        written = ratio * texts + _EMPTY_ANSWER
        if most_output is not None:
            written = np.minimum(written, most_output)
        means: NDArray[np.float64] = written.mean(axis=-1)
        return means

    input_means = [sent[picks].mean(axis=1) * ratio for ratio in ratios.input]
    output_means = [output(ratio[:, None], text[picks]) for ratio in ratios.output]
    narrowing = float(np.sqrt(1 - len(sent) / asked.seen))
    return Forecast(
        _range(input_means, [sent.mean() * ratio for ratio in ratios.input], asked.seen, narrowing),
        _range(output_means, [output(ratio[:, None], text) for ratio in ratios.output], asked.seen, narrowing),
        len(counted) if calibrated else 0,
    )


def _stated(ratios: tuple[float, float, float]) -> list[NDArray[np.float64]]:
    return [np.full(_REPLICATES, ratio) for ratio in ratios]


@dataclass(frozen=True, slots=True)
class _Ratios:
    """Low, expected and high ratio of counted to estimated tokens, each in every replicate."""

    input: list[NDArray[np.float64]]
    output: list[NDArray[np.float64]]

    @classmethod
    def of(cls, answered: Sequence[Answered], chance: np.random.Generator) -> _Ratios:
        """The ratios that answers show: the same for low and high, but different in each replicate."""
        sent, text, counted, written = np.array(
            [
                (one.question.sent, one.question.text, one.usage.input_tokens, one.usage.output_tokens - _EMPTY_ANSWER)
                for one in answered
            ],
            np.float64,
        ).T
        picks = chance.integers(0, len(sent), (_REPLICATES, len(sent)))
        inputs = counted[picks].sum(axis=1) / sent[picks].sum(axis=1)
        outputs = np.maximum(written[picks].sum(axis=1), 0) / np.maximum(text[picks].sum(axis=1), 1)
        return cls([inputs] * 3, [outputs] * 3)


def _range(
    replicates: Sequence[NDArray[np.float64]],
    wholes: Sequence[NDArray[np.float64]],
    population: int,
    narrowing: float,
) -> Range:
    """Totals out of means: of replicates of the sample, and (``wholes``) of the sample as it is, for each ratio."""
    low, expected, high = (
        whole + narrowing * (replicate - whole) for replicate, whole in zip(replicates, wholes, strict=True)
    )
    return Range(
        population * float(np.quantile(low, 0.025)),
        population * float(expected.mean()),
        population * float(np.quantile(high, 0.975)),
    )
