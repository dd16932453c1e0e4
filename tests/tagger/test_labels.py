from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.documents import Span
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.words import words_of

SCHEME = LabelScheme(["gene", "disease, disorder"])


def round_trip(text: str, spans: list[Span], scheme: LabelScheme = SCHEME) -> tuple[Span, ...]:
    words = words_of(text)
    tags, _ = scheme.tag(spans, words)
    probabilities = np.zeros((len(words), len(scheme.tags)), dtype=np.float32)
    for tag in tags:
        probabilities[tag.word, tag.tag] = tag.score
    return scheme.spans(probabilities, words, threshold=0.5)


@given(st.text(max_size=40), st.data())
def test_spans_at_word_edges_come_back_from_their_tags(text: str, data: st.DataObject) -> None:
    words = words_of(text)
    spans = []
    for label in SCHEME.labels:
        edges = data.draw(st.lists(st.integers(0, len(words)), unique=True, max_size=6).map(sorted))
        # Neighbouring edges may touch, so adjacent spans of one class are among them.
        spans += [Span(words[first][0], words[after - 1][1], label) for first, after in pairwise(edges)]
    expected = tuple(sorted(spans, key=lambda span: (span.start, -span.end, span.label)))
    assert round_trip(text, spans) == expected


def test_coinciding_nested_crossing_and_adjacent_spans_come_back() -> None:
    text = "one two three four"
    spans = [
        Span(0, 7, "gene"),
        Span(0, 7, "disease, disorder"),
        Span(8, 13, "gene"),
        Span(8, 18, "disease, disorder"),
    ]
    assert set(round_trip(text, spans)) == set(spans)


def test_an_edge_inside_a_word_moves_to_the_words_edge() -> None:
    assert round_trip("the nondiabetic arm", [Span(7, 15, "gene")]) == (Span(4, 15, "gene"),)


def test_of_overlapping_spans_of_one_class_the_longest_is_expressed_and_the_others_are_counted() -> None:
    words = words_of("one two three")
    spans = [Span(0, 3, "gene"), Span(0, 7, "gene"), Span(4, 13, "gene")]
    tags, lost = SCHEME.tag(spans, words)
    assert sorted(tag.word for tag in tags) == [0, 1, 2]
    assert lost == 1
    assert round_trip("one two three", spans) == (Span(0, 3, "gene"), Span(4, 13, "gene"))


def test_of_overlapping_spans_of_one_class_the_surest_is_expressed_however_short() -> None:
    spans = [Span(0, 7, "gene", score=0.6), Span(4, 7, "gene", score=0.9), Span(4, 13, "disease, disorder", score=0.6)]
    tags, lost = SCHEME.tag(spans, words_of("one two three"))
    assert {(tag.word, tag.score) for tag in tags if SCHEME.tags[tag.tag].endswith("gene")} == {(1, 0.9)}
    assert lost == 1


def test_a_span_without_a_word_is_counted_as_lost() -> None:
    assert SCHEME.tag([Span(0, 1, "gene")], words_of("  ")) == ([], 1)


def test_scores_become_targets_and_the_mean_becomes_the_score() -> None:
    words = [(0, 3), (4, 7)]
    tags, _ = SCHEME.tag([Span(0, 7, "gene", score=0.7)], words)
    assert [tag.score for tag in tags] == [0.7, 0.7]
    probabilities = np.array([[0.9, 0, 0, 0], [0, 0.7, 0, 0]], dtype=np.float32)
    (span,) = SCHEME.spans(probabilities, words, threshold=0.5, source="step 1")
    assert span.score == pytest.approx(0.8)
    assert span.source == "step 1"


def test_no_words_no_spans() -> None:
    assert SCHEME.spans(np.zeros((0, 4), dtype=np.float32), [], threshold=0.5) == ()


def test_the_scheme_is_read_from_its_tags() -> None:
    assert LabelScheme.from_tags(SCHEME.tags).labels == SCHEME.labels
    with pytest.raises(ValueError, match="B- and I-"):
        LabelScheme.from_tags(["gene", "O"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IL-2 (Ca²⁺)", ["IL", "-", "2", "(", "Ca²", "⁺", ")"]),
        ("Sjo\u0308gren's 5′", ["Sjo\u0308gren", "'", "s", "5", "′"]),
        ("患有gout病", ["患", "有", "gout", "病"]),
        ("🧬🧬", ["🧬", "🧬"]),
        (" \n\t", []),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in words_of(text)] == words
