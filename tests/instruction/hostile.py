"""Class names, mentions and documents that break forms which are not careful."""

from __future__ import annotations

from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.schema import Schema

NAMES = (
    "gene, protein", "drug/chemical", "class: of colon", "two\nlines", '"quoted"', "{braces}", "entities", "name",
    "type", "LABEL_1", "μ-receptor", "\\backslash", "]", "gene", "a b", "</think>",
)  # fmt: skip
TEXTS = st.text(
    st.sampled_from("aB1,-:/ \n\"'{}[]\\μé😀.;<>")
    | st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]),
    min_size=1, max_size=40,
)  # fmt: skip


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """A schema of some of the names, in some of which something is said of classes."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique_by=lambda name: name.casefold()))
    said = st.fixed_dictionaries({}, optional={
        "definition": st.sampled_from(["A thing.", "With, commas: and\nlines."]),
        "paraphrases": st.lists(st.sampled_from(["One wording.", "Another."]), max_size=2),
        "examples": st.lists(st.sampled_from(["1,2-dichloroethane", "p53"]), max_size=2),
    })  # fmt: skip
    return Schema(name="hostile", classes={name: draw(said) for name in names}, ignored=["other"])


@st.composite
def documents(draw: st.DrawFn, schema: Schema) -> Document:
    """A document with spans of the schema's classes that are not blank; they may nest, cross and coincide."""
    sections = []
    for text in draw(st.lists(TEXTS, min_size=1, max_size=2)):
        places = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 12), st.sampled_from(schema.labels))
        spans = [
            Span(start, min(len(text), start + length), label)
            for start, length, label in draw(st.lists(places, max_size=6))
        ]
        kept = tuple(span for span in spans if text[span.start : span.end].strip())
        sections.append(Section("text", text, kept))
    return Document(draw(st.sampled_from(["1", "a/0", "PMID:1, x"])), tuple(sections))
