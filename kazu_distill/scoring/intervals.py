"""How far figures would vary with other documents of the same kind: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.scoring.tally import Tally

RESAMPLES = 1000
FEW = 30
"""Gold entities below which a class's figures say little, whatever its interval: resampling cannot show what the
documents at hand do not have."""

_LEVEL = 0.95
_BLOCK = 4_000_000  # drawn numbers that are held at once
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure of 95 of 100 resamples lies within; None where too few of them have such a figure."""

    low: float | None
    high: float | None


def figures(counts: Floats, labels: tuple[str, ...]) -> dict[str, Floats]:
    """Precision, recall and F1 from counts, under the names of ``metrics_of``; NaN where it has None.

    Args:
        counts: ``(…, classes, 3)``: right, predicted, gold.
        labels: the classes.

    Returns:
        For each name ``(…,)``.
    """
    by_class = _three(counts)
    together = _three(counts.sum(axis=-2))
    named = {
        f"{label}_{name}": values[..., number]
        for number, label in enumerate(labels)
        for name, values in by_class.items()
        if label
    }
    known = ~np.isnan(by_class["f1"])
    scores = np.where(known, by_class["f1"], 0).sum(axis=-1)
    if any(labels):
        named["mean_f1"] = _ratio(scores, known.sum(axis=-1), np.any(known, axis=-1))
    return named | {f"micro_{name}": values for name, values in together.items()}


def intervals(tally: Tally, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """A 95 % interval for each figure: percentiles over resamples of whole documents (Efron 1979).

    Documents, not entities, are drawn, since what a model gets wrong once in a document it gets wrong there again.
    """
    drawn = [figures(counts, tally.labels) for counts in _resampled(tally.counts, seed, resamples)]
    return {name: _interval(np.concatenate([own[name] for own in drawn])) for name in drawn[0]}


def paired_intervals(first: Tally, second: Tally, *, seed: int, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """A 95 % interval for each figure of the second less that of the first, on the same resamples of documents.

    Raises:
        ValueError: they are not of equally many documents and the same classes.
    """
    if first.labels != second.labels or first.counts.shape != second.counts.shape:
        raise ValueError("two tallies of the same documents and classes are needed")
    both = np.stack([first.counts, second.counts], axis=1)
    drawn = [figures(counts, first.labels) for counts in _resampled(both, seed, resamples)]
    return {name: _interval(np.concatenate([own[name][:, 1] - own[name][:, 0] for own in drawn])) for name in drawn[0]}


def _resampled(counts: Floats, seed: int, resamples: int) -> Iterator[Floats]:
    """Sums ``(some resamples, …)`` over as many documents as there are, drawn with repetition."""
    random = np.random.default_rng(seed)
    documents = len(counts)
    rows = counts.reshape(documents, -1)
    most = max(1, _BLOCK // max(documents, 1))
    for begin in range(0, resamples, most):
        some = min(most, resamples - begin)
        drawn = random.integers(0, documents, (some, documents)) + documents * np.arange(some)[:, None]
        times = np.bincount(drawn.ravel(), minlength=some * documents).reshape(some, documents)
        yield (times.astype(np.float64) @ rows).reshape(some, *counts.shape[1:])


def _interval(values: Floats) -> Interval:
    known = values[~np.isnan(values)]
    if len(known) < _LEVEL * len(values):
        return Interval(None, None)
    edge = 50 * (1 - _LEVEL)
    low, high = np.percentile(known, [edge, 100 - edge])
    return Interval(float(low), float(high))


def _three(counts: Floats) -> dict[str, Floats]:
    right, predicted, gold = np.moveaxis(counts, -1, 0)
    known = gold + predicted > 0
    return {
        "precision": _ratio(right, predicted, known),
        "recall": _ratio(right, gold, known),
        "f1": _ratio(2 * right, gold + predicted, known),
    }


def _ratio(part: Floats, whole: Floats, known: NDArray[np.bool_]) -> Floats:
    """Part of whole; 0 where there is no whole, NaN where nothing is known."""
    ratio = np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
    return np.where(known, ratio, np.nan)
