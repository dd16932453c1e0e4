"""The best pieces come first, and only as many are sorted as are asked for."""

from __future__ import annotations

from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.retrieval.index import best_first

scores = st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 2.0]), max_size=300)


@given(scores, st.none() | st.sampled_from([-1.0, 0.0, 0.25, 3.0]), st.integers(0, 300))
def test_it_is_the_order_of_a_stable_sort(values: list[float], above: float | None, most: int) -> None:
    slow = sorted(range(len(values)), key=lambda position: -values[position])
    wanted = [position for position in slow if above is None or values[position] > above]
    assert list(islice(best_first(np.array(values, np.float32), above=above), most)) == wanted[:most]
