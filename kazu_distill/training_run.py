"""What ``train`` and ``tune`` share: which process speaks, and what each evaluation of a run leaves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kazu_distill.console import console, write_json


def is_first_process() -> bool:
    """Whether this process is the one, of several that ``torchrun`` starts, that writes and prints."""
    return os.environ.get("RANK", "0") == "0"


def evaluation_file(out: Path, step: int) -> Path:
    """Where the figures of a run's evaluation after a step lie."""
    return out / "evaluations" / f"step-{step:06}.json"


def keep_evaluation(
    out: Path, step: int, epoch: float, metrics: Mapping[str, Any], *, remark: str = ""
) -> dict[str, float]:
    """Write an evaluation's figures into its file and print the main ones, with a remark behind them.

    Returns:
        The figures by name: those that have a meaning, and 0 for the F1s that have none.
    """
    for later in (out / "evaluations").glob("step-*.json"):  # of an earlier run, whose steps were others
        if int(later.stem.removeprefix("step-")) >= step:
            later.unlink()
    write_json(evaluation_file(out, step), {"step": step, "epoch": epoch} | dict(metrics))
    figures = {name: value for name, value in metrics.items() if value is not None}
    mean, micro = (figures.setdefault(name, 0.0) for name in ("mean_f1", "micro_f1"))
    said = f"epoch {epoch:.1f}, step {step}: mean F1 {100 * mean:.1f}, micro F1 {100 * micro:.1f}{remark}"
    console.print(said, soft_wrap=True)
    return figures
