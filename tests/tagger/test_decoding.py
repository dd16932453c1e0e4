from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.words import words_of
from tests.tagger.drawn import LABELS, SCHEMES, texts

BIO, IO = SCHEMES
# Few values, so that equal ones, and ones that are the threshold, are among them.
values = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def decode_slowly(
    said: NDArray[np.float32], words: NDArray[np.int32], scheme: LabelScheme, thresholds: Sequence[float]
) -> list[Span]:
    """Class by class, word by word."""
    spans = []
    for label, name in enumerate(LABELS):
        open_words: list[int] = []
        scores: list[float] = []

        def close(name: str, open_words: list[int], scores: list[float]) -> None:
            if open_words:
                start, end = words[open_words[0], 0], words[open_words[-1], 1]
                spans.append(Span(int(start), int(end), name, sum(scores) / len(scores)))
            open_words.clear()
            scores.clear()

        for word, row in enumerate(said.tolist()):
            begin, inside = (row[2 * label], row[2 * label + 1]) if scheme is BIO else (0.0, row[label])
            if max(begin, inside) <= thresholds[label] or begin > inside:
                close(name, open_words, scores)
            if max(begin, inside) > thresholds[label]:
                open_words.append(word)
                scores.append(max(begin, inside))
        close(name, open_words, scores)
    return sorted(spans, key=lambda span: (span.start, -span.end, LABELS.index(span.label)))


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@settings(deadline=None)
@given(several=st.lists(texts, max_size=4), thresholds=st.tuples(values, values), data=st.data())
def test_texts_are_decoded_as_each_alone_by_the_slow_rule(
    scheme: LabelScheme, several: list[str], thresholds: tuple[float, float], data: st.DataObject
) -> None:
    words = [words_of(text) for text in several]
    said = []
    for own in words:
        size = len(own) * len(scheme.tags)
        drawn = data.draw(st.lists(values, min_size=size, max_size=size))
        said.append(np.array(drawn, dtype=np.float32).reshape(len(own), len(scheme.tags)))
    found = Reading.of(said, words, scheme).spans(np.array(thresholds, dtype=np.float32))
    assert found == [tuple(decode_slowly(*each, scheme, thresholds)) for each in zip(said, words, strict=True)]


def test_a_spans_score_is_the_mean_of_its_words_and_it_says_who_made_it() -> None:
    said = np.array([[0.9, 0, 0, 0], [0, 0.7, 0, 0]], dtype=np.float32)
    half = np.full(2, 0.5, dtype=np.float32)
    ((span,),) = Reading.of([said], [words_of("one two")], BIO).spans(half, source="step 1")
    assert span.score == pytest.approx(0.8)
    assert (span.start, span.end, span.source) == (0, 7, "step 1")


def test_a_word_at_its_threshold_is_in_no_span() -> None:
    said = np.array([[0.5, 0.5, 0.0]], dtype=np.float32)
    thresholds = np.array([0.5, 0.25], dtype=np.float32)
    ((span,),) = Reading.of([said], [words_of("one")], IO).spans(thresholds)
    assert span.label == LABELS[1]


def test_no_texts_and_texts_without_words_have_no_spans() -> None:
    half = np.full(2, 0.5, dtype=np.float32)
    nothing = np.zeros((0, 4), dtype=np.float32)
    assert Reading.of([], [], BIO).spans(half) == []
    assert Reading.of([nothing, nothing], [words_of(""), words_of(" ")], BIO).spans(half) == [(), ()]
