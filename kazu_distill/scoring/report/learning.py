"""The figures that a training run left behind, evaluation by evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation in the course of training; F1 is strict, 0 to 1, and None where it is not known."""

    step: int
    mean_f1: float | None
    micro_f1: float | None
    by_class: Mapping[str, float | None] = field(default_factory=dict)


def learning_curve(folder: Path, labels: Sequence[str]) -> list[Evaluated]:
    """The evaluations of ``step-*.json`` in a folder, in the order of their steps; none if there is no such folder.

    A file that is not what training writes is left out: a report of scores must not fail for a picture of the training.
    """
    found = [evaluated for path in folder.glob("step-*.json") if (evaluated := _read(path, labels))]
    return sorted(found, key=lambda each: each.step)


def _read(path: Path, labels: Sequence[str]) -> Evaluated | None:
    try:
        values = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    step = values.get("step") if isinstance(values, dict) else None
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        return None
    by_class = {label: _share(values.get(f"{label}_f1")) for label in labels}
    evaluated = Evaluated(step, _share(values.get("mean_f1")), _share(values.get("micro_f1")), by_class)
    return None if evaluated.mean_f1 is None and evaluated.micro_f1 is None else evaluated


def _share(value: Any) -> float | None:
    """A number from 0 to 1, or None."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if number and 0 <= value <= 1 else None
