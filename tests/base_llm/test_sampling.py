"""Chance that belongs to a question."""

from __future__ import annotations

import random
from collections import Counter

import torch
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.base_llm.sampling import SeededSampling, chance_of
from kazu_distill.llm.protocol import Sampling

_SCORES = [2.0, -1.0, 0.5, 1.5, -torch.inf, 0.0]


def taken(scores: list[float], sampling: Sampling, *seeds: int) -> list[int]:
    """The token of each row; all rows have the same scores."""
    process = SeededSampling(sampling, [random.Random(seed) for seed in seeds])
    left = process(None, torch.tensor([scores] * len(seeds)))
    assert ((left == 0).sum(dim=-1) == 1).all()
    return [int(token) for token in left.argmax(dim=-1)]


def test_tokens_come_as_often_as_they_are_likely() -> None:
    counts = Counter(taken(_SCORES, Sampling(0.8, None, 1), *range(20_000)))
    expected = torch.softmax(torch.tensor(_SCORES) / 0.8, dim=-1)
    for token, share in enumerate(expected.tolist()):
        assert abs(counts[token] / 20_000 - share) < 0.012


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=12), st.floats(0.05, 1), st.integers(0, 99))
def test_top_p_takes_none_but_the_likeliest_that_have_that_much_together(
    scores: list[float], top_p: float, seed: int
) -> None:
    [token] = taken(scores, Sampling(1.0, top_p, 1), seed)
    likely = torch.softmax(torch.tensor(scores), dim=-1)
    assert float(likely[likely > likely[token]].sum()) < top_p + 1e-4


def test_a_row_takes_the_same_whatever_is_in_the_batch() -> None:
    sampling = Sampling(1.0, 0.95, 1)
    assert taken(_SCORES, sampling, 3, 1, 2) == [taken(_SCORES, sampling, seed)[0] for seed in (3, 1, 2)]


def test_chance_is_that_of_the_question_and_the_sample() -> None:
    draws = [chance_of([1, 2, 3], 0).random(), chance_of([1, 2, 3], 1).random(), chance_of([1, 23], 0).random()]
    assert len(set(draws)) == 3
    assert draws[0] == chance_of((1, 2, 3), 0).random()
