"""Texts of any script, and spans in them, for property tests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.tagger.alignment import WordSpan
from kazu_distill.tagger.labels import LabelScheme, WordTags, label_scheme

LABELS = ("gene", "disease, disorder")
SCHEMES = (label_scheme("bio", LABELS), label_scheme("io", LABELS))

_PIECES = [
    "gout", "immunohistochemistry", "IL-2", "(TNF),", "α-synuclein", "糖尿病", "ภาวะ", "Sjo\u0308gren", "🧬", ".", "\n",
    "Ca²⁺", "कैंसर", "سرطان", "½", "\u0301", "a\u0301\u0323", "\ufffd", "\u200b", "\u00a0", "  ", "naïve",
]  # fmt: skip

texts = (
    st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=30)
    .flatmap(lambda pieces: st.sampled_from([" ", ""]).map(lambda between: between.join(pieces)))
    .filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text))
)


@st.composite
def word_spans(draw: st.DrawFn, words: int, scheme: LabelScheme) -> list[WordSpan]:
    """Spans that a scheme can express, in order; with B and I, adjacent ones of a class are among them."""
    spans: list[WordSpan] = []
    for label in range(len(scheme.labels)):
        edges = draw(st.lists(st.integers(0, words), unique=True, max_size=6).map(sorted))
        pairs = list(pairwise(edges))
        if scheme.outside is not None or draw(st.booleans()):
            pairs = pairs[::2]
        spans += [WordSpan(first, last, label, 1.0) for first, last in pairs]
    return sorted(spans, key=lambda span: (span.first, -span.last, span.label))


def over_characters(spans: list[WordSpan], words: NDArray[np.int32], scheme: LabelScheme) -> tuple[Span, ...]:
    """The same spans over characters."""
    return tuple(
        Span(int(words[span.first, 0]), int(words[span.last - 1, 1]), scheme.labels[span.label], span.score)
        for span in spans
    )


def probabilities(tags: WordTags, words: int, scheme: LabelScheme) -> NDArray[np.float32]:
    """What a model that is right says of the words: ``(words, tags)``."""
    said = np.zeros((words, len(scheme.tags)), dtype=np.float32)
    said[tags.words, tags.tags] = tags.scores
    if scheme.outside is not None:
        said[:, scheme.outside] = 1 - said.max(axis=1, initial=0.0)
    return said
