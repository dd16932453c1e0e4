"""The page is read back by a Markdown parser: what it shows is what was said, and nothing quoted is markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kazu_distill.annotation.reporting.page import report_page
from kazu_distill.markdown import as_code, as_text, table

HOSTILE = (
    "a|b\\|c `x` ``y`` <script>alert(1)</script>\n# head\n- [l](http://x.y) ![i](z) **b** &amp; http://x.y @me #1 |"
)
EMPTY: dict[str, Any] = {
    "documents": 0, "failed_documents": 0, "failures": {}, "spans": 0, "spans_per_class": {}, "grounding": {},
    "dropped": {}, "answer_faults": {}, "examples": {},
}  # fmt: skip


def full(text: str) -> dict[str, Any]:
    """A report in which everything that comes from elsewhere says the same."""
    pair = {"voters": [text, "mixtral"], "documents": 9, "f1": 0.5, "f1_per_class": {text: 0.25, "drug": None}}
    figures = {"asked": 1200, "from_store": 3, "failed_requests": 1, "retries": {"rate limit": 7}, "cost_usd": 12.5}
    figures |= {"input_tokens": 1_000_000, "output_tokens": 90_000, "latency_s": {"p50": 1.2, "p90": 3.0, "p99": None}}
    outcomes = {"doubtful": 9, "yes": 5, "no": 2, "unreadable": 1, "failed": 1}
    verification = outcomes | {"by_reason": {text: 9}, "per_class": {text: outcomes}, "failures": {text: 1}}
    return {
        "documents": 1000, "documents_without_spans": 7, "failed_documents": 2, "left_documents": 1,
        "failures": {text: 1}, "spans": 300, "spans_per_class": {text: 200, "drug": 100},
        "top_strings": {text: {text: 50, "EGFR": 9}}, "strings_with_several_classes": {text: {text: 5, "drug": 2}},
        "counts_are_lower_bounds": True, "grounding": {"exact": 290, "not_found": 10}, "mended": {"edges trimmed": 4},
        "dropped": {text: 3}, "answer_faults": {text: 2}, "examples": {text: [text, text], "not_found": [text]},
        "voters": {text: figures, "mixtral": figures | {"cost_usd": None}}, "cost_usd": 12.5, "seconds": 7500.0,
        "documents_per_second": 0.133, "stopped": text, "votes": {"1": 100, "2": 200},
        "agreement": [pair], "verification": verification,
    }  # fmt: skip


class Seen(HTMLParser):
    """The tags of a page, and the cells of each row of its tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.codes: list[str] = []
        self._inside: list[str] = []
        self.feed(MarkdownIt("commonmark").enable("table").render(page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "code":
            self.codes.append("")
        if tag != "br":
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self._inside or "th" in self._inside:
            self.rows[-1][-1] += data
        if "code" in self._inside:
            self.codes[-1] += data


OUR_TAGS = {"h1", "h2", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "br"}


@pytest.mark.parametrize("text", [HOSTILE, "`", "|", "\\", "\\|", "``` |", "<br>", "x", "\u202e\u2028x"])
def test_nothing_that_is_quoted_is_markup(text: str) -> None:
    page = report_page(full(text))
    seen = Seen(page)
    assert seen.tags <= OUR_TAGS
    assert all(len(row) == len(head) for head, row in same_table(page, seen.rows))
    assert page.count("\n## ") == 10


def same_table(page: str, rows: list[list[str]]) -> list[tuple[list[str], list[str]]]:
    """Each row with the head of its table."""
    lengths = [len(lines.splitlines()) - 1 for lines in page.split("\n\n") if lines.startswith("| ")]
    assert sum(lengths) == len(rows)
    paired = []
    for length in lengths:
        paired += [(rows[0], row) for row in rows[:length]]
        rows = rows[length:]
    return paired


@given(st.text(max_size=30), st.text(st.sampled_from("|`\\ <>*_[]a\n&;#"), max_size=20))
def test_code_and_text_show_what_they_quote_on_one_line(one: str, other: str) -> None:
    seen = Seen(table(("a", "b >"), [(as_code(one), as_text(other)), (as_code(other), as_text(one))]))
    assert seen.tags <= OUR_TAGS
    assert [len(row) for row in seen.rows] == [2, 2, 2]
    for cells in seen.rows[1:]:
        wanted = (one, other) if cells is seen.rows[1] else (other, one)
        assert [letters(cell) for cell in cells] == [letters(text) for text in wanted]


def letters(text: str) -> str:
    """What can be compared: a code span may have a space before a pipe, and unseen characters are left out."""
    return "".join(re.findall(r"[a-zA-Z0-9|`\\<>*_\[\]&;#]", text))


def test_the_figures_come_first() -> None:
    overview = report_page(full("x")).split("\n\n")[1]
    assert overview == (
        "**1,000 documents** labelled with **300 spans** of 2 classes: 0.3 a document, none in 7. "
        "2 documents failed; 1 document left for another run. "
        "It took 2 hours 5 minutes, 0.133 documents a second. It cost $12.50."
    )


def test_a_part_without_values_is_left_out() -> None:
    assert report_page(EMPTY) == "# Annotation report\n\n**0 documents** labelled with **0 spans**.\n"


def test_counts_that_may_be_too_low_are_called_so() -> None:
    assert "lower bounds" in report_page(full("x"))
    assert "lower bounds" not in report_page(full("x") | {"counts_are_lower_bounds": False})


def test_of_thousands_of_free_types_the_most_frequent_are_shown() -> None:
    classes = {f"type {number:04}": 5000 - number for number in range(5000)}
    scores: dict[str, float | None] = dict.fromkeys(classes, 0.5)
    pair = {"voters": ["a", "b"], "documents": 9, "f1": 0.5, "f1_per_class": scores}
    page = report_page(EMPTY | {"documents": 9, "spans": 9, "spans_per_class": classes, "agreement": [pair]})
    assert page.count("type 0099") == 2
    assert "type 0100" not in page
    assert page.count("Of 5,000 classes, the 100 that are most frequent") == 2
