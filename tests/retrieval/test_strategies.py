"""Who is chosen: the most similar, any, always the same, those that pass a gate, those that are unlike each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.retrieval.bm25 import BM25Index
from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.at_random import AtRandom
from kazu_distill.retrieval.strategies.diverse import Diverse
from kazu_distill.retrieval.strategies.fixed import Fixed, covering
from kazu_distill.retrieval.strategies.gated import Gated
from kazu_distill.retrieval.strategies.most_similar import MostSimilar
from kazu_distill.retrieval.strategies.strategy import Strategy
from tests.retrieval.pools import SCHEMA, WordEncoder, prose


def pool(*texts: str, labels: Sequence[str] = ()) -> list[Example]:
    """Examples of which each has the classes that stand at its place."""
    of_each = [*labels, *[""] * (len(texts) - len(labels))]
    return [
        Example(text, tuple(Span(0, 1, label) for label in own.split()), f"d{number}")
        for number, (text, own) in enumerate(zip(texts, of_each, strict=True))
    ]


def prepared(strategy: Strategy, examples: Sequence[Example], cache: Path) -> Strategy:
    strategy.prepare(examples, SCHEMA, cache)
    return strategy


def anything(position: int) -> bool:
    return position >= 0


FIVE = pool("alpha beta gamma", "alpha beta", "alpha", "delta", "alpha beta gamma epsilon")


def test_the_most_similar_come_first_and_what_is_not_allowed_makes_room_for_the_next(tmp_path: Path) -> None:
    strategy = prepared(MostSimilar(index=BM25Index(), above=0), FIVE, tmp_path)
    assert strategy.choose("alpha beta gamma", 3, anything) == [0, 4, 1]
    assert strategy.choose("alpha beta gamma", 3, lambda position: position != 0) == [4, 1, 2]
    assert strategy.choose("alpha beta gamma", 9, anything) == [0, 4, 1, 2]
    assert strategy.choose("zeta", 3, anything) == []


def test_any_examples_are_others_for_each_text_and_the_same_each_time(tmp_path: Path) -> None:
    examples = pool(*(prose(seed) for seed in range(50)))
    strategy = prepared(AtRandom(seed=1), examples, tmp_path)
    chosen = [strategy.choose(f"text {number}", 4, anything) for number in range(200)]
    assert chosen == [
        prepared(AtRandom(seed=1), examples, tmp_path).choose(f"text {n}", 4, anything) for n in range(200)
    ]
    assert all(len(set(positions)) == 4 for positions in chosen)
    counts = np.bincount(np.concatenate(chosen), minlength=50)
    assert counts.min() > 3
    assert counts.max() < 35
    assert chosen[0] != prepared(AtRandom(seed=2), examples, tmp_path).choose("text 0", 4, anything)


@given(st.integers(1, 12), st.integers(1, 20), st.sets(st.integers(0, 11)))
def test_at_random_every_allowed_example_is_reached(count: int, most: int, refused: set[int]) -> None:
    strategy = AtRandom()
    strategy.prepare(pool(*map(str, range(count))), SCHEMA, Path())
    chosen = strategy.choose("text", most, lambda position: position not in refused)
    allowed = set(range(count)) - refused
    assert len(chosen) == len(set(chosen)) == min(most, len(allowed))
    assert set(chosen) <= allowed


def test_given_documents_are_shown_in_the_order_in_which_they_are_given(tmp_path: Path) -> None:
    strategy = prepared(Fixed(ids=["d3", "d1", "d0"]), FIVE, tmp_path)
    assert strategy.choose("any", 2, anything) == [3, 1]
    assert strategy.choose("any", 2, lambda position: position != 3) == [1]
    with pytest.raises(ConfigError, match='the pool has no document "d7"'):
        prepared(Fixed(ids=["d7"]), FIVE, tmp_path)


def test_without_given_documents_those_are_shown_that_cover_most_classes(tmp_path: Path) -> None:
    examples = pool("a", "bb", "c", "d", "e", labels=["drug", "drug gene", "disease", "", "drug gene"])
    assert covering(examples, 3) == [4, 2, 1]
    assert prepared(Fixed(), examples, tmp_path).choose("any", 2, anything) == [4, 2]
    assert covering(examples, 9) == [4, 2, 1, 0, 3]


@given(st.lists(st.sets(st.sampled_from(SCHEMA.labels)).map(" ".join), min_size=1, max_size=6), st.integers(1, 3))
def test_as_many_classes_are_covered_as_is_possible_up_to_what_being_greedy_costs(labels: list[str], most: int) -> None:
    examples = pool(*("x" * (number + 1) for number in range(len(labels))), labels=labels)

    def covered(positions: Sequence[int]) -> int:
        return len(set().union(*(examples[position].labels() for position in positions)))

    best = max(covered(some) for some in combinations(range(len(labels)), min(most, len(labels))))
    assert covered(covering(examples, most)) >= (1 - 1 / np.e) * best  # Nemhauser, Wolsey and Fisher 1978


def test_a_gate_lets_pass_what_reaches_the_threshold_and_nothing_takes_the_place_of_what_does_not(
    tmp_path: Path,
) -> None:
    nearest = MostSimilar(index=DenseIndex(encoder=WordEncoder()))
    gate = BM25Index()
    gate.prepare([example.text for example in FIVE], tmp_path)
    scores = gate.scores("alpha beta gamma")
    for threshold in (0.0, float(scores[1]), float(np.nextafter(scores[1], np.float32(9))), 20.0):
        strategy = prepared(Gated(strategy=nearest, gate=BM25Index(), threshold=threshold), FIVE, tmp_path)
        chosen = nearest.choose("alpha beta gamma", 3, anything)
        wanted = [position for position in chosen if scores[position] >= threshold]
        assert strategy.choose("alpha beta gamma", 3, anything) == wanted
    assert chosen == [0, 4, 1]
    assert not wanted


def test_diverse_examples_do_not_repeat_each_other(tmp_path: Path) -> None:
    examples = pool("alpha beta gamma", "alpha beta gamma", "alpha beta gamma gamma", "alpha delta", "epsilon")
    index = DenseIndex(encoder=WordEncoder())
    near = prepared(Diverse(index=index, relevance=1.0, coverage=0.0), examples, tmp_path)
    assert near.choose("alpha beta gamma", 3, anything) == [0, 1, 2]
    unlike = prepared(Diverse(index=index, relevance=0.5, coverage=0.0), examples, tmp_path)
    assert unlike.choose("alpha beta gamma delta", 2, anything) == [0, 3]
    assert sorted(unlike.choose("alpha beta gamma delta", 9, anything)) == [0, 1, 2, 3, 4]
    assert unlike.choose("alpha beta gamma delta", 2, lambda position: position > 0) == [1, 3]


def test_diverse_examples_are_of_many_classes(tmp_path: Path) -> None:
    examples = pool("alpha beta gamma", "alpha beta", "alpha", "alpha", labels=["drug", "drug", "gene disease", "drug"])
    index = DenseIndex(encoder=WordEncoder())
    strategy = prepared(Diverse(index=index, relevance=1.0, coverage=3.0), examples, tmp_path)
    assert strategy.choose("alpha beta gamma", 2, anything) == [2, 0]
    few = prepared(Diverse(index=index, candidates=2, relevance=1.0, coverage=3.0), examples, tmp_path)
    assert few.choose("alpha beta gamma", 2, anything) == [0, 1]
