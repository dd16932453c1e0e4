"""What Kazu's rule takes for right, case by case; that it is Kazu's is tested beside the real package."""

from __future__ import annotations

import pytest

from kazu_distill.scoring.kazu_rule import kazu_metrics
from tests.scoring.labelled import document

Place = tuple[int, int, str]


@pytest.mark.parametrize(
    ("gold", "predicted", "precision", "recall"),
    [
        ([(2, 5, "x")], [(2, 5, "x")], 1, 1),
        ([(2, 5, "x")], [(5, 7, "x")], 1, 1),  # they only touch
        ([(3, 4, "x")], [(0, 9, "x")], 1, 1),
        ([(0, 9, "x")], [(3, 4, "x")], 0, 0),  # the other way round it is none
        ([(0, 2, "x"), (3, 5, "x")], [(0, 5, "x")], 1, 1),  # one prediction is two hits
        ([(0, 2, "x")], [(0, 2, "x"), (7, 9, "x")], 0.5, 1),
    ],
)
def test_hits(gold: list[Place], predicted: list[Place], precision: float, recall: float) -> None:
    figures = kazu_metrics([(document("a", gold), document("a", predicted))], ["x"])
    assert (figures["x_precision"], figures["x_recall"]) == (precision, recall)


def test_sections_without_a_prediction_are_forgotten() -> None:
    gold = document("a", *([(0, 3, "x")] for _ in range(10)))
    predicted = document("a", [(0, 3, "x")], *([] for _ in range(9)))
    assert kazu_metrics([(gold, predicted)], ["x"]) == {
        "x_precision": 1, "x_recall": 1, "x_support": 1, "mean_f1": 1,
    }  # fmt: skip


def test_a_class_that_is_never_predicted_has_no_figures_and_makes_the_mean_zero() -> None:
    pair = document("a", [(0, 3, "x"), (5, 6, "y")]), document("a", [(0, 3, "x")])
    assert kazu_metrics([pair], ["x", "y"]) == {"x_precision": 1, "x_recall": 1, "x_support": 1, "mean_f1": 0}
