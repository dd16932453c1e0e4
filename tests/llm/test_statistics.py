"""What a run took."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.llm.statistics import Percentiles


@given(st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=200), st.sampled_from([0, 1, 50, 90, 99, 100]))
def test_percentiles_are_those_of_the_sorted_values_to_within_a_hundredth(values: list[float], percent: int) -> None:
    percentiles = Percentiles()
    for value in values:
        percentiles.add(value)
    exact = sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
    found = percentiles.at(percent)
    assert found is not None
    assert exact / 1.011 <= found <= exact * 1.011


def test_of_nothing_there_are_none() -> None:
    assert Percentiles().at(50) is None
