"""Small gold and predicted documents for the tests of scoring."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.counts import Counts

LABELS = ("gene or gene product", "disease, disorder, phenotype or trait", "x")
TEXT = "abcdefghij"


def document(identifier: str, *sections: list[tuple[int, int, str]]) -> Document:
    """A document whose sections have the text ``TEXT`` and these spans."""
    return Document(
        identifier, tuple(Section("", TEXT, tuple(Span(*place) for place in places)) for places in sections)
    )


@st.composite
def places(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Spans that may coincide, nest, cross and come twice."""
    starts = st.integers(0, len(TEXT) - 1)
    wanted = st.tuples(starts, st.integers(1, 4), st.sampled_from(LABELS))
    return [
        (start, min(start + length, len(TEXT)), label) for start, length, label in draw(st.lists(wanted, max_size=8))
    ]


@st.composite
def flat_places(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Spans of which no two of one class overlap; those of two classes may."""
    found: list[tuple[int, int, str]] = []
    for label in LABELS:
        edges = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=6)))
        found += [(start, end, label) for start, end in pairwise(edges) if draw(st.booleans())]
    return found


def sides(
    of: st.SearchStrategy[list[tuple[int, int, str]]],
) -> st.SearchStrategy[tuple[list[Document], list[Document]]]:
    """Gold and predicted documents with the same ids and texts."""
    both = st.lists(st.tuples(of, of), max_size=3)
    return st.lists(both, max_size=4).map(
        lambda found: (
            [document(str(number), *(gold for gold, _ in own)) for number, own in enumerate(found)],
            [document(str(number), *(predicted for _, predicted in own)) for number, own in enumerate(found)],
        )
    )


def slow_counts(gold: list[Document], predicted: list[Document], label: str) -> Counts:
    """Compares every span with every other of the same document."""

    def spans(documents: list[Document]) -> list[tuple[str, int, int, int]]:
        found: list[tuple[str, int, int, int]] = []
        for each in documents:
            for number, section in enumerate(each.sections):
                for span in section.spans:
                    entry = (each.id, number, span.start, span.end)
                    if span.label == label and entry not in found:
                        found.append(entry)
        return found

    wanted, given_spans = spans(gold), spans(predicted)
    right = sum(any(one == other for other in wanted) for one in given_spans)
    return Counts(right, len(given_spans) - right, len(wanted) - right)
