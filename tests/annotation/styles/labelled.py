"""Texts with spans, and class names, of the kinds that forms of answers could stumble over."""

from __future__ import annotations

from hypothesis import strategies as st

from kazu_distill.documents import Span
from kazu_distill.schema import Schema

NAMES = [
    "drug", "disease, disorder", "gene/protein", "type: 2", "line\nbreak", '"quoted"', "it's", "<b>", "</i>", "$x", "O",
    "B-drug", "drug 2", "糖", "İçe", "|", "class", "thought", "a_b", "a b", "a\\b", "&lt;drug>", "[]", "#", '"""', "½",
]  # fmt: skip
_PIECES = [
    "aspirin", "Aspirin", "IL-2", "1,2-dichloroethane", "p < 0.05", "<b>", "<drug>", "</drug>", "< drug >", "&lt;drug>",
    "&amp;lt;drug>", "&lt;", "&", "<", ">", " : ", ":", "O", "B-drug", "|", "\t", "\n", "\r\n", "\r", "\x1c", "\x85",
    "\u2028", '"', "'", "“", "\\", "\\n", "```", "```\n", "{", "}", "[", "]", "(", ")", ",", ".", " ", "  ", "-", "#",
    "</think>", "<think>", "[Drug(span=\"x\")]", "糖尿病", "ใจ", "Sjo\u0308gren", "é", "é", "½", "🧬", "👩‍⚕️", "\u00ad",
    "\u200b", "α", "TNFα", "$", "\0", "class", "قلب", "x : O", "I", "line\nbreak",
]  # fmt: skip

texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), min_size=1, max_size=12).map("".join)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """A schema of hostile names."""
    names = draw(st.lists(st.sampled_from(NAMES) | st.text(min_size=1, max_size=4), min_size=1, max_size=4))
    wanted = {" ".join(name.casefold().split()): name for name in names if name.strip()} or {"drug": "drug"}
    return Schema(name="test", classes=dict.fromkeys(wanted.values()), ignored=["planet"])


@st.composite
def labelled(draw: st.DrawFn, schema: Schema) -> tuple[str, list[Span]]:
    """A text with any spans of the schema."""
    text = draw(texts)
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(schema.labels))
    drawn = draw(st.lists(places, max_size=6)) if text else []
    spans = {Span(min(one, two), max(one, two), label) for one, two, label in drawn if one != two}
    return text, sorted(spans, key=lambda span: span.place)


def without_overlap_in_class(spans: list[Span]) -> list[Span]:
    """Those that overlap no earlier one of their class."""
    kept: list[Span] = []
    for span in spans:
        if all(span.label != other.label or span.start >= other.end or span.end <= other.start for other in kept):
            kept.append(span)
    return kept
