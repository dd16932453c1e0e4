from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kazu_distill.documents import Document, Section, Span
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.judging import judge_spans, sureness
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.words import words_of
from tests.tagger.drawn import LABELS, SCHEMES, texts
from tests.tagger.encoders import tiny_bert
from tests.tagger.saved_taggers import DOCUMENTS, save_tagger

BIO, IO = SCHEMES
values = st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])  # none at the threshold itself


def said_of(data: st.DataObject, words: NDArray[np.int32], scheme: LabelScheme) -> NDArray[np.float32]:
    size = len(words) * len(scheme.tags)
    drawn = data.draw(st.lists(values, min_size=size, max_size=size))
    return np.array(drawn, dtype=np.float32).reshape(len(words), len(scheme.tags))


def every_span(words: NDArray[np.int32], *, longest: int = 4) -> list[Span]:
    """All spans of up to so many words."""
    return [
        Span(int(words[first, 0]), int(words[last, 1]), label)
        for label in LABELS
        for first in range(len(words))
        for last in range(first, min(first + longest, len(words)))
    ]


def sure_slowly(span: Span, words: NDArray[np.int32], said: NDArray[np.float32], scheme: LabelScheme) -> float:
    """Decision by decision, word by word."""
    number = LABELS.index(span.label)

    def member(word: int) -> float:
        row: list[float] = said[word].tolist()
        return max(row[2 * number], row[2 * number + 1]) if scheme is BIO else row[number]

    def begins(word: int) -> bool:
        return scheme is BIO and said[word, 2 * number] > said[word, 2 * number + 1]

    own = [word for word, (start, end) in enumerate(words.tolist()) if start < span.end and span.start < end]
    if not own:
        return 0.0
    sure = 1.0
    for word in own:
        sure = min(sure, member(word))
        if word != own[0] and begins(word):
            sure = min(sure, 1 - member(word))
    if own[0] > 0 and not begins(own[0]):
        sure = min(sure, 1 - member(own[0] - 1))
    if own[-1] + 1 < len(words) and not begins(own[-1] + 1):
        sure = min(sure, 1 - member(own[-1] + 1))
    return sure


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@settings(deadline=None)
@given(text=texts, data=st.data())
def test_the_decoder_finds_just_the_spans_of_which_it_is_more_than_half_sure(
    scheme: LabelScheme, text: str, data: st.DataObject
) -> None:
    words = words_of(text)
    said = said_of(data, words, scheme)
    half = np.full(len(LABELS), 0.5, dtype=np.float32)
    (found,) = Reading.of([said], [words], scheme).spans(half)
    spans = every_span(words)
    sure = sureness(spans, words, scheme.membership(said), LABELS)
    likely = {span.place for span, each in zip(spans, sure, strict=True) if each > 0.5}
    short = {span.place for span in spans}
    assert likely == {span.place for span in found} & short


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@settings(deadline=None)
@given(text=texts.filter(bool), data=st.data())
def test_sureness_of_any_span_is_that_of_the_slow_rule(scheme: LabelScheme, text: str, data: st.DataObject) -> None:
    words = words_of(text)
    said = said_of(data, words, scheme)
    edges = st.integers(0, len(text) - 1).flatmap(
        lambda start: st.tuples(st.just(start), st.integers(start + 1, len(text)))
    )
    spans = [Span(*each, label) for each in data.draw(st.lists(edges, max_size=5)) for label in LABELS]
    sure = sureness(spans, words, scheme.membership(said), LABELS)
    assert sure == pytest.approx([sure_slowly(span, words, said, scheme) for span in spans])


def test_a_span_without_a_word_is_not_believed() -> None:
    said = np.ones((2, 4), dtype=np.float32)
    assert sureness([Span(3, 4, LABELS[0])], words_of("one two"), BIO.membership(said), LABELS) == [0.0]


def test_documents_keep_their_spans_and_found_ones_stand_beside_them(tmp_path: Path) -> None:
    tagger = Tagger.from_pretrained(save_tagger(tiny_bert(tmp_path / "encoder"), tmp_path / "model"), device="cpu")
    several = [Document("several", (Section("a", DOCUMENTS[0].sections[0].text), Section("b", "")), {"year": 2001})]
    documents = [*tagger.label([*DOCUMENTS, *several])]
    labelled = [
        document.with_spans(
            [(*section.spans, Span(0, 1, "gene", 0.25)) if section.text else () for section in document.sections]
        )
        for document in documents
    ]
    judged = list(judge_spans(tagger, labelled, source="student"))
    assert sum(len(each.found.spans) for each in judged) > 10
    for before, found, each in zip(labelled, documents, judged, strict=True):
        assert (
            (each.given.id, each.given.metadata) == (each.found.id, each.found.metadata) == (before.id, before.metadata)
        )
        assert [span.place for _, span in each.given.spans] == [span.place for _, span in before.spans]
        assert [span.place for _, span in each.found.spans] == [span.place for _, span in found.spans]
        for own, its in zip(each.given.sections, each.found.sections, strict=True):
            sure = {span.place: span.score for span in own.spans}
            assert all(sure[span.place] == span.score > 0.5 for span in its.spans)
            assert {span.source for span in (*own.spans, *its.spans)} <= {"student"}
