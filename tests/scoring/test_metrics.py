"""Figures are those that the field knows, with the names of Kazu's table."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.metrics import f1, metrics_of, precision, recall

some = st.builds(Counts, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


def test_the_fields_are_those_of_kazu_s_table_class_by_class_then_all_together() -> None:
    metrics = metrics_of({"disease, disorder, phenotype or trait": Counts(3, 1, 2), "drug": Counts(1, 0, 0)})
    assert list(metrics.items()) == [
        ("disease, disorder, phenotype or trait_precision", 0.75),
        ("disease, disorder, phenotype or trait_recall", 0.6),
        ("disease, disorder, phenotype or trait_f1", pytest.approx(2 / 3)),
        ("disease, disorder, phenotype or trait_support", 5),
        ("drug_precision", 1.0),
        ("drug_recall", 1.0),
        ("drug_f1", 1.0),
        ("drug_support", 1),
        ("mean_f1", pytest.approx(5 / 6)),
        ("micro_precision", 0.8),
        ("micro_recall", pytest.approx(4 / 6)),
        ("micro_f1", pytest.approx(8 / 11)),
        ("gold_entities", 6),
        ("predicted_entities", 5),
    ]


def test_a_class_with_neither_gold_nor_predictions_is_null_and_left_out_of_the_mean() -> None:
    metrics = metrics_of({"drug": Counts(1, 0, 0), "place": Counts()})
    assert [metrics[f"place_{name}"] for name in ("precision", "recall", "f1", "support")] == [None, None, None, 0]
    assert metrics["mean_f1"] == 1.0
    assert '"place_f1": null' in json.dumps(metrics)


@pytest.mark.parametrize("counts", [Counts(0, 3, 0), Counts(0, 0, 3)], ids=["only predicted", "only gold"])
def test_nothing_over_nothing_is_0_where_the_class_occurs(counts: Counts) -> None:
    assert (precision(counts), recall(counts), f1(counts)) == (0.0, 0.0, 0.0)
    assert metrics_of({"drug": Counts(1, 0, 0), "place": counts})["mean_f1"] == 0.5


def test_without_any_span_the_mean_and_the_micro_figures_are_null() -> None:
    metrics = metrics_of({"drug": Counts()})
    assert metrics["mean_f1"] is metrics["micro_f1"] is metrics["micro_recall"] is None
    assert metrics["gold_entities"] == metrics["predicted_entities"] == 0


@given(some)
def test_f1_is_the_harmonic_mean_of_precision_and_recall(counts: Counts) -> None:
    one, other, mean = precision(counts), recall(counts), f1(counts)
    if one and other:
        assert mean == pytest.approx(2 / (1 / one + 1 / other))
    else:
        assert mean == (None if counts == Counts() else 0.0)


def test_a_class_called_as_a_figure_of_all_classes_is_an_error() -> None:
    with pytest.raises(ConfigError, match='cannot be called "mean"'):
        metrics_of({"mean": Counts()})
