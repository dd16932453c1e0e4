from collections import Counter
from dataclasses import astuple

import pytest

from kazu_distill.annotation.planning.forecast import Question, Reservoir, forecast


def test_a_reservoir_keeps_all_of_a_short_stream_and_counts_a_long_one() -> None:
    reservoir = Reservoir[int](3, seed=1)
    for number in range(3):
        reservoir.add(number)
    assert reservoir.sample == [0, 1, 2]
    reservoir.add(3)
    assert (len(reservoir.sample), reservoir.seen) == (3, 4)


def test_every_item_of_a_stream_is_as_likely_to_be_kept() -> None:
    kept: Counter[int] = Counter()
    for seed in range(2000):
        reservoir = Reservoir[int](5, seed=seed)
        for number in range(20):
            reservoir.add(number)
        kept.update(reservoir.sample)
    assert all(0.2 < kept[number] / 2000 < 0.3 for number in range(20))


def test_a_forecast_of_the_whole_has_only_the_stated_ranges() -> None:
    asked = Reservoir[Question](100, seed=1)
    for number in range(100):
        asked.add(Question(1000 + number, 100))
    tokens = forecast(asked, [], output_ratio=(1, 2, 3), most_output=None, seed=1)
    total = sum(1000 + number for number in range(100))
    assert astuple(tokens.input_tokens) == pytest.approx((0.85 * total, total, 1.2 * total))
    assert astuple(tokens.output_tokens) == pytest.approx((10_600, 20_600, 30_600))
