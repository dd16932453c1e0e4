"""What an answer says of numbered spans, and the scores that they have then."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from kazu_distill.annotation.parsing.answer import UnreadableAnswer, answer_itself
from kazu_distill.annotation.parsing.lenient_json import Array, Object, Value, excerpt, read_json
from kazu_distill.annotation.verification.question import ANSWERS, NO, NUMBER, VERDICT, YES
from kazu_distill.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """How a verdict changes a score.

    Args:
        confirmed: the least that a span has whose verdict is yes, 0 to 1.
        rejected: what the score of another one is multiplied by, 0 to 1.

    Raises:
        ConfigError: one is not between 0 and 1.
    """

    confirmed: float
    rejected: float

    def __post_init__(self) -> None:
        for name, value in (("confirmed", self.confirmed), ("rejected", self.rejected)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
                raise ConfigError(f"verify.scores.{name}={value}: give a number from 0 to 1")

    def after(self, score: float, *, is_one: bool) -> float:
        """The score of a span that has been asked about."""
        return max(score, self.confirmed) if is_one else score * self.rejected


def parse_verdicts(answer: str, numbers: Collection[int]) -> dict[int, bool]:
    """For each number that an answer has a verdict on, whether it is yes.

    The answer should be ``{"answers": [{"number": 1, "verdict": "yes"}]}``. Objects with these keys are read wherever
    they stand, and objects with numbers for keys, ``{"1": "yes"}``. A number with two verdicts has none.

    Raises:
        UnreadableAnswer: there is no verdict on any of the numbers.
    """
    said = answer_itself(answer)
    verdicts: dict[int, bool] = {}
    contested: set[int] = set()
    for number, is_one in _pairs(read_json(said)):
        if number in numbers and verdicts.setdefault(number, is_one) != is_one:
            contested.add(number)
    found = {number: is_one for number, is_one in verdicts.items() if number not in contested}
    if not found:
        wanted = f'{{"{ANSWERS}": [{{"{NUMBER}": 1, "{VERDICT}": "{YES}" or "{NO}"}}]}} for each question'
        begins = f"it begins with: {excerpt(said)}" if said.strip() else "it is empty"
        raise UnreadableAnswer(f"the answer has no usable verdict, which must be {wanted}; {begins}")
    return found


def _pairs(values: Iterable[Value]) -> Iterator[tuple[int, bool]]:
    for value in values:
        if isinstance(value, Array):
            yield from _pairs(value.items)
        elif isinstance(value, Object):
            fields = {key.strip().casefold(): inside for key, inside in value.pairs}
            pairs = [(fields[NUMBER], fields.get(VERDICT))] if NUMBER in fields else value.pairs
            for key, inside in pairs:
                number, verdict = _number(key), _verdict(inside)
                if number is not None and verdict is not None:
                    yield number, verdict
            yield from _pairs(inside for _, inside in value.pairs if isinstance(inside, Array | Object))


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value.strip()) else None


def _verdict(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip(" .!").casefold() if isinstance(value, str) else ""
    return {YES: True, "true": True, NO: False, "false": False}.get(word)


_DIGITS = re.compile(r"[0-9]{1,6}")
