"""What records are made, and what it costs to tune with them, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich import box
from rich.markup import escape
from rich.table import Table

from kazu_distill.instruction.counting import TOO_LONG, PartCounts
from kazu_distill.instruction.making import LeftOut

_ADVICE = {
    TOO_LONG: "cut texts smaller (chunks.tokens), show fewer examples (examples.k), or allow more (max_tokens)",
    str(LeftOut.FORM): "choose another form of answer (prompt=…)",
    str(LeftOut.LOST): "choose another form of answer (prompt=…), or look at the labels: a mention may be blank",
}


def counts_table(parts: Mapping[str, PartCounts]) -> Table:
    """A row for each part."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("part", no_wrap=True)
    for name in ("documents", "records", "spans", "tokens", "mean", "95 %", "longest"):
        table.add_column(name, justify="right", no_wrap=True)
    for part, own in parts.items():
        lengths = (own.mean_tokens, own.tokens_95, own.most_tokens)
        numbers = (own.documents, own.records, own.written_spans, own.tokens, *lengths)
        table.add_row(escape(part), *(f"{number:,.0f}" for number in numbers))
    return table


def cost_sentence(counts: PartCounts, *, epochs: float, cost: float | None, exact: bool) -> str:
    """What it costs to tune on a part."""
    tokens = counts.tokens * epochs
    counted = "counted by the tokenizer" if exact else "estimated"
    priced = "price_per_million=… says what they cost" if cost is None else f"${cost:,.2f}"
    return f"tuning: {counts.tokens:,} tokens ({counted}) × {epochs:g} epochs = {tokens:,.0f}: {priced}"


def remarks(parts: Mapping[str, PartCounts]) -> Iterator[str]:
    """What a user should know of the records, a sentence each."""
    for part, own in parts.items():
        if own.empty:
            yield f"{part}: {own.empty:,} records have no span, and an answer that says so"
        for why, count in own.left_out.items():
            yield (
                f"{part}: {count:,} records are left out, {why}, such as {own.first_left_out[why]}; "
                f"{_ADVICE.get(why, why)}"
            )
        if own.cut:
            yield f"{part}: {own.cut:,} spans stand in no chunk whole, and are in no record (chunks.tokens)"
        if own.places_open:
            yield (
                f"{part}: of {own.places_open:,} records the mentions come back, but not all places: the form does not "
                "say which of several is meant"
            )
