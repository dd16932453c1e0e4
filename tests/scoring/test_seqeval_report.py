"""Our strict figures are seqeval's, wherever seqeval can express the spans."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.documents import Document
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.seqeval_report import seqeval_report
from kazu_distill.scoring.tally import strict_counts
from tests.scoring.labelled import LABELS, document, flat_places, places, sides

ROW = re.compile(r" *(.+?) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+)")


def rows(report: str) -> dict[str, list[float]]:
    """Precision, recall, F1 and support by the name of the row."""
    matches = (ROW.fullmatch(line) for line in report.splitlines())
    return {match[1]: [float(figure) for figure in match.groups()[1:]] for match in matches if match}


@settings(max_examples=200, deadline=None)
@given(sides(flat_places()))
def test_figures_of_each_class_macro_and_micro_are_seqeval_s(both: tuple[list[Document], list[Document]]) -> None:
    pairs = paired(*both)
    metrics = metrics_of(strict_counts(pairs, LABELS))
    report = seqeval_report(pairs, LABELS)
    assert (report.gold_left_out, report.predicted_left_out) == (0, 0)
    theirs = rows(report.text)
    for label in LABELS:
        if metrics[f"{label}_f1"] is None:
            assert label not in theirs
        else:
            ours = [metrics[f"{label}_{name}"] for name in ("precision", "recall", "f1", "support")]
            assert theirs[label] == pytest.approx(ours, abs=6e-5)
    if metrics["mean_f1"] is None:
        assert theirs == {}
    else:
        assert theirs["macro avg"][2] == pytest.approx(metrics["mean_f1"], abs=6e-5)
        ours = [metrics[f"micro_{name}"] for name in ("precision", "recall", "f1")]
        assert theirs["micro avg"] == pytest.approx([*ours, metrics["gold_entities"]], abs=6e-5)


@settings(max_examples=100, deadline=None)
@given(sides(places()))
def test_overlapping_spans_of_one_class_are_left_out_and_counted(both: tuple[list[Document], list[Document]]) -> None:
    pairs = paired(*both)
    counts = sum(strict_counts(pairs, LABELS).values(), start=Counts())
    report = seqeval_report(pairs, LABELS)
    supports = [row[3] for name, row in rows(report.text).items() if name in LABELS]
    assert sum(supports) == counts.gold - report.gold_left_out
    assert report.predicted_left_out <= counts.predicted


def test_spans_that_adjoin_nest_across_classes_or_coincide_are_all_in_the_report() -> None:
    gold = document("a", [(0, 4, "x"), (4, 6, "x"), (0, 4, LABELS[0]), (1, 2, LABELS[1])])
    report = seqeval_report([(gold, gold)], LABELS)
    assert rows(report.text)["micro avg"] == [1.0, 1.0, 1.0, 4]
    assert report.gold_left_out == report.predicted_left_out == 0


def test_the_longer_of_two_that_begin_together_stays() -> None:
    gold, predicted = document("a", [(0, 2, "x"), (0, 5, "x"), (3, 7, "x")]), document("a", [(0, 5, "x")])
    report = seqeval_report([(gold, predicted)], LABELS)
    assert (report.gold_left_out, report.predicted_left_out) == (2, 0)
    assert rows(report.text)["x"] == [1.0, 1.0, 1.0, 1]


@given(st.sampled_from([[], [document("a", [])]]))
def test_a_report_of_nothing_says_so(documents: list[Document]) -> None:
    assert seqeval_report(paired(documents, documents), LABELS).text == "no entities, neither in gold nor predicted"
