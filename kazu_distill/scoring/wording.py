"""How figures are written."""

from __future__ import annotations

from kazu_distill.scoring.intervals import Interval


def percent(figure: float | None) -> str:
    """A share as a percentage with one decimal; a dash where it has no meaning."""
    return "–" if figure is None else f"{100 * figure:.1f}"


def percent_range(interval: Interval, *, sign: str = "") -> str:
    """An interval in per cent; a dash where there is none."""
    if interval.low is None or interval.high is None:
        return "–"
    return " to ".join(f"{100 * edge:{sign}.1f}" for edge in (interval.low, interval.high))
