"""Which questions are answered together."""

from __future__ import annotations

from collections.abc import Sequence


def in_batches(lengths: Sequence[int], *, budget: int, answer: int) -> list[list[int]]:
    """Places of questions in batches; like lengths stand together, since like texts have answers of like lengths.

    The longest come first: what does not fit into memory is seen at once, and the last batch is a quick one.

    Args:
        lengths: tokens of each question.
        budget: tokens of a batch, filled up to the longest of its questions and with an answer each; one question alone
            may be more.
        answer: tokens that an answer is expected to have.
    """
    batches: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batches and (len(batches[-1]) + 1) * (longest + answer) <= budget:
            batches[-1].append(place)
        else:
            batches.append([place])
            longest = lengths[place]
    return batches
