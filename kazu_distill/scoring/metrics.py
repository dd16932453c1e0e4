"""Precision, recall and F1 from counts, under the names of Kazu's published table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from kazu_distill.errors import ConfigError
from kazu_distill.scoring.counts import Counts

Metrics: TypeAlias = dict[str, float | int | None]


def metrics_of(counts: Mapping[str, Counts]) -> Metrics:
    """Figures for each class and for all of them, as one flat mapping that goes into JSON as it is.

    For each class, in order: ``<class>_precision``, ``<class>_recall``, ``<class>_f1`` (0 to 1) and
    ``<class>_support`` (gold spans). Then ``mean_f1`` (macro: the mean over classes), ``micro_precision``,
    ``micro_recall``, ``micro_f1`` (all spans in one pot), ``gold_entities`` and ``predicted_entities``.

    A class with neither gold nor predicted spans says nothing of a model: its figures are None and ``mean_f1`` leaves
    it out. Any other class counts, with 0 where a figure is 0/0. This is what the macro average of seqeval in its
    strict mode does. ``mean_f1`` and the micro figures are None only if there is no span at all.

    Raises:
        ConfigError: a class has the name "mean" or "micro", whose fields are taken.
    """
    taken = {"mean", "micro"} & counts.keys()
    if taken:
        raise ConfigError(
            f'a class cannot be called "{min(taken)}", since {min(taken)}_f1 is the figure for all classes'
        )
    metrics: Metrics = {}
    scores: list[float] = []
    for label, own in counts.items():
        metrics |= {f"{label}_{name}": value for name, value in figures_of(own).items()}
        metrics[f"{label}_support"] = own.gold
        score = f1(own)
        if score is not None:
            scores.append(score)
    together = sum(counts.values(), start=Counts())
    metrics["mean_f1"] = sum(scores) / len(scores) if scores else None
    metrics |= {f"micro_{name}": value for name, value in figures_of(together).items()}
    metrics["gold_entities"] = together.gold
    metrics["predicted_entities"] = together.predicted
    return metrics


def precision(counts: Counts) -> float | None:
    """The share of predicted spans that are right; 0 if there are none, None if gold has none either."""
    return _ratio(counts.true_positives, counts.predicted, counts)


def recall(counts: Counts) -> float | None:
    """The share of gold spans that are found; 0 if there are none, None if nothing is predicted either."""
    return _ratio(counts.true_positives, counts.gold, counts)


def f1(counts: Counts) -> float | None:
    """The harmonic mean of precision and recall; None if there are neither gold nor predicted spans."""
    return _ratio(2 * counts.true_positives, counts.gold + counts.predicted, counts)


def figures_of(counts: Counts) -> dict[str, float | None]:
    """All three, by name."""
    return {"precision": precision(counts), "recall": recall(counts), "f1": f1(counts)}


def less(figure: float | None, other: float | None) -> float | None:
    """A figure less another; None where one of them has no meaning."""
    return None if figure is None or other is None else figure - other


def _ratio(part: float, whole: float, counts: Counts) -> float | None:
    if not counts.gold and not counts.predicted:
        return None
    return part / whole if whole else 0.0
