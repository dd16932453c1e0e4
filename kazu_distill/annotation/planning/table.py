"""A plan as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kazu_distill.annotation.planning.forecast import Range
from kazu_distill.annotation.planning.plan import Plan, VoterPlan


def print_plan(plan: Plan, console: Console) -> None:
    """Print a plan: what is counted, what is estimated, and what the estimates rest on."""
    counted = f"{plan.documents:,} documents, {plan.sections:,} sections, {plan.chunks:,} chunks; nothing was asked"
    console.print(counted, soft_wrap=True)
    console.print(plan_table(plan))
    for remark in plan_remarks(plan):
        console.print(remark, markup=False, soft_wrap=True)


def plan_table(plan: Plan) -> Table:
    """A row for each LLM, and one for all where there are several; below each estimate its range."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("LLM", overflow="fold")
    for name in ("in the\nstore", "to ask", "input\ntokens", "output\ntokens", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for voter in plan.voters:
        tokens = [_amounts(counted) for counted in (voter.forecast.input_tokens, voter.forecast.output_tokens)]
        table.add_row(escape(voter.name), f"{voter.in_store:,}", f"{voter.to_ask:,}", *tokens, _costs(voter.cost_usd))
    if len(plan.voters) > 1:
        table.add_section()
        table.add_row("all", "", "", "", "", _costs(plan.cost_usd), style="bold")
    return table


def plan_remarks(plan: Plan) -> Iterator[str]:
    """What the figures of each LLM rest on, a sentence each."""
    for voter in plan.voters:
        if voter.to_ask:
            yield f"{voter.name}: {_basis(voter)}"
            yield f"{voter.name}: {_price(voter)}"
            if voter.minutes_at_best is not None:
                yield f"{voter.name}: at best {_duration(voter.minutes_at_best)}, by the limits in the configuration"


def _basis(voter: VoterPlan) -> str:
    if voter.forecast.answers:
        return f"tokens are estimated after {voter.forecast.answers:,} of its answers in the store"
    return "tokens are estimated before any answer of it, and without what it may think; a small run makes them surer"


def _price(voter: VoterPlan) -> str:
    if voter.price is None:
        return "its price is not known: set llm.price for a cost"
    price = voter.price
    per_million = f"{_exact_dollars(price.input_per_million)} in, {_exact_dollars(price.output_per_million)} out"
    return f"{per_million} for a million tokens, as of {price.taken}; providers change that"


def _amounts(tokens: Range) -> str:
    if not tokens.high:
        return "0"
    return f"{_amount(tokens.expected)}\n{_amount(tokens.low)}–{_amount(tokens.high)}"


def _amount(tokens: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if tokens >= size:
            return f"{tokens / size:.3g}{unit}" if tokens < 999.5 * size else f"{tokens / size:,.0f}{unit}"
    return f"{tokens:.0f}"


def _costs(cost: Range | None) -> str:
    if cost is None:
        return "not known"
    if not cost.high:
        return "$0"
    return f"{_dollars(cost.expected)}\n{_dollars(cost.low)}–{_dollars(cost.high)}"


def _dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.1 else f"${usd:.2g}"


def _exact_dollars(usd: float) -> str:
    return f"${usd:,.2f}" if usd == round(usd, 2) else f"${usd:g}"


def _duration(minutes: float) -> str:
    return f"{minutes / 60:.1f} hours" if minutes >= 120 else f"{max(1, round(minutes)):,} minutes"
