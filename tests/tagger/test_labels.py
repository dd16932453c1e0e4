import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.alignment import WordSpan, align
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.labels import LabelScheme, label_scheme, scheme_of_tags
from kazu_distill.words import words_of
from tests.tagger.drawn import LABELS, SCHEMES, over_characters, probabilities, texts, word_spans

HALF = np.full(len(LABELS), 0.5, dtype=np.float32)
BIO, IO = SCHEMES


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@settings(deadline=None)
@given(text=texts, data=st.data())
def test_spans_come_back_from_their_tags(scheme: LabelScheme, text: str, data: st.DataObject) -> None:
    words = words_of(text)
    spans = over_characters(data.draw(word_spans(len(words), scheme)), words, scheme)
    aligned, counts = align(spans, words, {label: number for number, label in enumerate(LABELS)})
    assert (counts.moved, counts.overlapping, counts.wordless) == (0, 0, 0)
    said = probabilities(scheme.tag(aligned), len(words), scheme)
    assert Reading.of([said], [words], scheme).spans(HALF) == [spans]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@settings(deadline=None)
@given(data=st.data())
def test_tags_stand_in_the_order_of_the_words_with_their_spans_score(scheme: LabelScheme, data: st.DataObject) -> None:
    scores = st.sampled_from([0.25, 0.5, 1.0])
    spans = [
        WordSpan(span.first, span.last, span.label, data.draw(scores)) for span in data.draw(word_spans(12, scheme))
    ]
    tags = scheme.tag(spans)
    assert tags.words.tolist() == sorted(word for span in spans for word in range(span.first, span.last))
    for word, tag, score in zip(tags.words, tags.tags, tags.scores, strict=True):
        (span,) = [
            span
            for span in spans
            if span.first <= word < span.last and scheme.tags[tag].endswith(scheme.labels[span.label])
        ]
        assert score == span.score
        if scheme is BIO:
            assert scheme.tags[tag].startswith("B-" if word == span.first else "I-")


def test_bio_keeps_adjacent_spans_of_a_class_apart_and_io_joins_them() -> None:
    words = words_of("one two")
    spans = [WordSpan(0, 1, 0, 1.0), WordSpan(1, 2, 0, 1.0)]
    found = {}
    for scheme in SCHEMES:
        said = probabilities(scheme.tag(spans), 2, scheme)
        (own,) = Reading.of([said], [words], scheme).spans(HALF)
        found[scheme] = [(span.start, span.end) for span in own]
    assert found == {BIO: [(0, 3), (4, 7)], IO: [(0, 7)]}


def test_the_unit_for_words_outside_every_span_is_last_and_says_nothing_of_membership() -> None:
    assert IO.tags == [*LABELS, "O"]
    assert IO.outside == 2
    assert BIO.outside is None
    said = np.array([[0.9, 0.1, 1.0], [0.2, 0.7, 0.0]], dtype=np.float32)
    assert np.array_equal(IO.membership(said).probability, said[:, :2])
    assert not IO.membership(said).begins.any()


def test_the_scheme_is_read_from_its_tags() -> None:
    for scheme in SCHEMES:
        again = scheme_of_tags(scheme.tags)
        assert (type(again), again.labels, again.tags) == (type(scheme), scheme.labels, scheme.tags)
    with pytest.raises(ValueError, match="of no label scheme"):
        scheme_of_tags(["gene", "B-gene"])


def test_a_scheme_that_there_is_not_or_cannot_express_a_class_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"labels\.scheme=iob: choose bio or io"):
        label_scheme("iob", LABELS)
    with pytest.raises(ConfigError, match='class cannot be named "O"'):
        label_scheme("io", ["O"])
    assert label_scheme("bio", ["O"]).tags == ["B-O", "I-O"]
