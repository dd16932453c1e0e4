"""Pages for the tests of the report, and how a parser and a browser see them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.curves import Curves
from kazu_distill.scoring.findings import find
from kazu_distill.scoring.model_figures import ModelFigures
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.report.learning import Evaluated
from kazu_distill.scoring.report.report import write_report

TEXT = "Aspirin caused acute renal failure in one patient; warfarin and 🧬 heparin did not."
LABELS = ("chemical", "disease")

Mention = tuple[str, str]
"""A mention in the text and its class."""


def pair(
    identifier: str, gold: Sequence[Mention], predicted: Sequence[Mention], *, text: str = TEXT, score: float = 1.0
) -> Pair:
    """A gold document and its prediction."""

    def sections(mentions: Sequence[Mention], score: float) -> tuple[Section, ...]:
        spans = [
            Span(text.index(mention), text.index(mention) + len(mention), label, score) for mention, label in mentions
        ]
        return (Section("abstract", text, tuple(spans)),)

    return Document(identifier, sections(gold, 1.0)), Document(identifier, sections(predicted, score))


def page_of(
    folder: Path,
    pairs: Sequence[Pair],
    labels: Sequence[str] = LABELS,
    *,
    title: str = "a model",
    learning: Sequence[Evaluated] = (),
    curves: Curves | None = None,
    model: ModelFigures | None = None,
) -> Path:
    """The report of some pairs."""
    path = folder / "report.html"
    findings = find(pairs, labels, seed=1, resamples=20, curves=curves)
    write_report(path, title=title, findings=findings, learning=learning, model=model)
    return path


class Parsed(HTMLParser):
    """What a page is made of: how many of each element, the attributes, the text, and the data of its script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.elements[tag] += 1
        self.attributes += attrs
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        """What follows is in no script or style."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Keep text apart from code."""
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found
