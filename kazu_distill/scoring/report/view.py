"""What stands in the tables of the page, row by row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.evaluation import Evaluation
from kazu_distill.scoring.intervals import Interval
from kazu_distill.scoring.metrics import f1, precision, recall
from kazu_distill.scoring.mistakes import Analysis, Kind, Mistake, frequent
from kazu_distill.scoring.report.browser_data import Piece, pieces, surroundings
from kazu_distill.scoring.report.drawing import BAR, Axis, Bar, bar, bar_axis, stacked

MISTAKES = tuple(kind for kind in Kind if kind is not Kind.CORRECT)
_FREQUENT = 10  # mentions that are listed of each class and side
_SHADES = 9


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Figures of a class, or of all together."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    interval: Interval
    bar: Bar
    gold: int | None
    predicted: int | None
    few: bool = False
    total: bool = False


@dataclass(frozen=True, slots=True)
class KindRow:
    """How many judgements of a class, or of all, are correct and of each kind of mistake, and these as a bar."""

    name: str
    correct: int
    counts: tuple[int, ...]
    bar: list[tuple[float, float]]
    total: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the confusion matrix: classes by position, -1 for nothing; shade from 0 to ``_SHADES``."""

    gold: int
    predicted: int
    count: int
    shade: int


@dataclass(frozen=True, slots=True)
class MentionRow:
    """A mention that is often wrong, and one place where it is."""

    mention: str
    count: int
    example: Mistake
    before: str
    pieces: list[Piece]
    after: str


@dataclass(frozen=True, slots=True)
class MentionTables:
    """The mentions of a class that are most often not found, and most often found wrongly."""

    label: str
    gold: list[MentionRow]
    predicted: list[MentionRow]


def score_rows(evaluation: Evaluation, analysis: Analysis) -> tuple[list[ScoreRow], Axis]:
    """A row for each class, for the mean and for all spans, and the axis of their bars."""
    metrics, intervals = evaluation.metrics, evaluation.intervals
    axis = bar_axis(intervals, metrics, [f"{prefix}_f1" for prefix in (*evaluation.labels, "mean", "micro")])
    predicted: Counter[str | None] = Counter()
    for (_, label), count in analysis.confusion.items():
        predicted[label] += count

    def row(name: str, prefix: str, gold: int | None, found: int | None, *, total: bool) -> ScoreRow:
        interval = intervals[f"{prefix}_f1"]
        return ScoreRow(
            name=name,
            precision=metrics.get(f"{prefix}_precision"),
            recall=metrics.get(f"{prefix}_recall"),
            f1=metrics[f"{prefix}_f1"],
            interval=interval,
            bar=bar(axis, metrics[f"{prefix}_f1"], interval),
            gold=gold,
            predicted=found,
            few=not total and name in evaluation.few,
            total=total,
        )

    rows = [
        row(label, label, int(metrics[f"{label}_support"] or 0), predicted[label], total=False)
        for label in evaluation.labels
    ]
    supports = [int(metrics[name] or 0) for name in ("gold_entities", "predicted_entities")]
    rows.append(row("mean over classes", "mean", None, None, total=True))
    rows.append(row("all spans (micro)", "micro", supports[0], supports[1], total=True))
    return rows, axis


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Figures of a group of entities."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    gold: int
    predicted: int


def group_rows(groups: Mapping[str, Mapping[str, Counts]]) -> dict[str, list[GroupRow]]:
    """For each way to tell entities apart, a row for each of its groups."""
    return {
        name: [
            GroupRow(group, precision(counts), recall(counts), f1(counts), int(counts.gold), int(counts.predicted))
            for group, counts in own.items()
        ]
        for name, own in groups.items()
    }


def kind_rows(kinds: Mapping[str, Counter[Kind]]) -> list[KindRow]:
    """A row for each class, and for all together if there are several."""

    def row(name: str, own: Counter[Kind], *, total: bool = False) -> KindRow:
        counts = tuple(own[kind] for kind in MISTAKES)
        return KindRow(name, own[Kind.CORRECT], counts, stacked(counts, BAR), total)

    rows = [row(label, own) for label, own in kinds.items()]
    together = sum(kinds.values(), Counter[Kind]())
    return [*rows, row("all classes", together, total=True)] if len(rows) > 1 else rows


def confusion_rows(
    confusion: Counter[tuple[str | None, str | None]], labels: Sequence[str]
) -> list[tuple[str, list[Cell | None]]]:
    """For each gold class, and last for nothing (""), the cells of the predicted ones, and of nothing.

    The shade is the share of the row. Nothing predicted as nothing is no cell.
    """
    sides: list[tuple[str | None, int]] = [*((label, number) for number, label in enumerate(labels)), (None, -1)]
    rows = []
    for gold, row in sides:
        total = sum(confusion[gold, predicted] for predicted, _ in sides)
        cells = [
            None
            if gold is None and predicted is None
            else Cell(row, column, count, math.ceil(_SHADES * count / total) if total else 0)
            for predicted, column in sides
            for count in (confusion[gold, predicted],)
        ]
        rows.append((gold or "", cells))
    return rows


def mention_tables(mistakes: Sequence[Mistake], labels: Sequence[str]) -> list[MentionTables]:
    """For each class that has any mistake, its most frequent mentions among them."""
    missed = frequent(mistakes, side="gold", most=_FREQUENT)
    spurious = frequent(mistakes, side="predicted", most=_FREQUENT)
    tables = []
    for label in labels:
        gold = [_mention(each.examples[0], each.count, gold=True) for each in missed.get(label, [])]
        predicted = [_mention(each.examples[0], each.count, gold=False) for each in spurious.get(label, [])]
        if gold or predicted:
            tables.append(MentionTables(label, gold, predicted))
    return tables


def _mention(example: Mistake, count: int, *, gold: bool) -> MentionRow:
    span = example.judgement.gold if gold else example.judgement.predicted
    assert span  # the mistake was grouped by the mention of this side
    before, after = surroundings(example)
    return MentionRow(example.mention(span), count, example, before, pieces(example), after)
