from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from kazu_distill.errors import ConfigError
from kazu_distill.instruction.counting import PartCounts, RecordLength, token_counter, tuning_cost
from kazu_distill.instruction.making import Back
from kazu_distill.llm.tokens import estimate_tokens
from tests.instruction.examples import record
from tests.tagger.encoders import minilm


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_lengths_are_summed_up_as_sorting_them_would(lengths: list[int]) -> None:
    counts = PartCounts()
    for length in lengths:
        counts.add(record(), Back.SPANS, length)
    assert (counts.records, counts.tokens, counts.most_tokens) == (len(lengths), sum(lengths), max(lengths))
    assert counts.mean_tokens == sum(lengths) / len(lengths)
    shorter = sum(length <= counts.tokens_95 for length in lengths)
    assert shorter >= 0.95 * len(lengths)
    assert sum(length < counts.tokens_95 for length in lengths) < 0.95 * len(lengths)


def test_nothing_has_no_length() -> None:
    assert PartCounts().as_json()["tokens"] == {"total": 0, "mean": 0, "95_percent": 0, "longest": 0}


def test_a_records_tokens_are_those_of_all_that_is_said() -> None:
    length = RecordLength(len)
    plain, with_example = record(), record(with_example=True)
    said = len(plain.instructions) + len(plain.text) + len(plain.answer)
    assert length(plain) == said + 3 * 4
    assert length(with_example) == said + sum(len(turn.text) for turn in with_example.earlier) + 5 * 4


def test_the_cost_is_that_of_all_epochs_and_unknown_without_a_price() -> None:
    assert tuning_cost(2_000_000, epochs=3, price_per_million=25) == 150
    assert tuning_cost(2_000_000, epochs=3, price_per_million=None) is None


def test_tokens_are_counted_by_a_tokenizer_that_is_given_and_estimated_without_one() -> None:
    text = "Gefitinib inhibits EGFR."
    tokens = AutoTokenizer.from_pretrained(minilm().name).tokenize(text)
    assert token_counter(minilm().name)(text) == len(tokens)
    assert token_counter(minilm().name)("word " * 2000) == 2000  # more than its model takes
    assert token_counter(None)(text) == estimate_tokens(text)


def test_a_tokenizer_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no tokenizer can be loaded"):
        token_counter(str(tmp_path))
