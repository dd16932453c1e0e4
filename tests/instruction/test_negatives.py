from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.instruction.negatives import By, Negatives, spans_by_class

LABELS = ["a", "b", "c", "d", "e"]
COUNTS = {"a": 600, "b": 300, "c": 100, "d": 0}


@given(st.sets(st.sampled_from(LABELS)), st.sampled_from(["frequency", "uniform", "none", "all"]), st.integers())
def test_the_classes_of_a_text_are_asked_about_and_the_number_of_others_is_kept(
    present: set[str], by: By, seed: int
) -> None:
    chosen = Negatives(by=by, ratio=1.5, at_least=1, counts=COUNTS).chosen(LABELS, present, Random(seed))
    assert chosen == [label for label in LABELS if label in set(chosen)]
    assert present <= set(chosen)
    others = set(chosen) - present
    wanted = max(1, round(1.5 * len(present)))
    possible = {
        "frequency": {label for label in LABELS if COUNTS.get(label)} - present,
        "uniform": set(LABELS) - present,
        "none": set[str](),
        "all": set(LABELS) - present,
    }[by]
    assert others <= possible
    assert len(others) == (len(possible) if by == "all" else min(wanted, len(possible)))


def test_a_class_is_drawn_as_often_as_it_is_frequent() -> None:
    negatives = Negatives(by="frequency", counts=COUNTS)
    drawn = Counter(negatives.chosen(LABELS, (), Random(seed))[0] for seed in range(5000))
    for label, count in COUNTS.items():
        assert drawn[label] / 5000 == pytest.approx(count / 1000, abs=0.03)
    uniform = Counter(Negatives(by="uniform").chosen(LABELS, (), Random(seed))[0] for seed in range(5000))
    assert all(uniform[label] / 5000 == pytest.approx(0.2, abs=0.03) for label in LABELS)


def test_the_same_seed_draws_the_same() -> None:
    negatives = Negatives(by="uniform", at_least=2)
    assert negatives.chosen(LABELS, ["a"], Random("x")) == negatives.chosen(LABELS, ["a"], Random("x"))


def test_spans_are_counted_by_class() -> None:
    section = Section("text", "abc", (Span(0, 1, "a"), Span(1, 2, "a"), Span(0, 2, "b")))
    assert spans_by_class([Document("1", (section,)), Document("2", (section,))]) == {"a": 4, "b": 2}


def test_settings_that_cannot_be_are_errors() -> None:
    with pytest.raises(ConfigError, match="frequency, uniform, none, all"):
        Negatives(by="often")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"negatives\.ratio"):
        Negatives(ratio=-1)
    with pytest.raises(ConfigError, match=r"negatives\.at_least"):
        Negatives(at_least=0.5)  # type: ignore[arg-type]
