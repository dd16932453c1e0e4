"""How figures are written."""

from __future__ import annotations

from kazu_distill.scoring.intervals import Interval


def percent(figure: float | None) -> str:
    """A share as a percentage with one decimal; a dash where it has no meaning."""
    return "–" if figure is None else f"{100 * figure:.1f}"


def percent_range(interval: Interval) -> str:
    """An interval in per cent; a dash where there is none."""
    return _range(interval, "")


def points(difference: float | None) -> str:
    """A difference of shares in points of per cent; a dash where it has no meaning."""
    return "–" if difference is None else f"{100 * difference:+.1f}"


def points_range(interval: Interval) -> str:
    """An interval of a difference in points; a dash where there is none."""
    return _range(interval, "+")


def count(number: float | None) -> str:
    """A whole number; a dash where it is not known."""
    return "–" if number is None else f"{number:,.0f}"


def quantity(number: float | None) -> str:
    """A measured number with three digits that count; a dash where it is not known."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _range(interval: Interval, sign: str) -> str:
    if interval.low is None or interval.high is None:
        return "–"
    return " to ".join(f"{100 * edge:{sign}.1f}" for edge in (interval.low, interval.high))
