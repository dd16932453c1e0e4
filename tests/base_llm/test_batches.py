"""Questions in batches."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.base_llm.batches import in_batches


@given(st.lists(st.integers(1, 500), max_size=40), st.integers(1, 2000), st.integers(0, 300))
def test_each_question_is_in_one_batch_and_a_batch_of_several_is_within_the_budget(
    lengths: list[int], budget: int, answer: int
) -> None:
    batches = in_batches(lengths, budget=budget, answer=answer)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * (max(lengths[place] for place in batch) + answer) <= budget


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(1, 2000))
def test_like_lengths_stand_together_and_no_batch_takes_fewer_than_it_could(lengths: list[int], budget: int) -> None:
    batches = in_batches(lengths, budget=budget, answer=10)
    for one, following in pairwise(batches):
        assert min(lengths[place] for place in one) >= max(lengths[place] for place in following)
        assert (len(one) + 1) * (max(lengths[place] for place in one) + 10) > budget
