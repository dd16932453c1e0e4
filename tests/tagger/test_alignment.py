import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.documents import Span
from kazu_distill.tagger.alignment import AlignmentCounts, WordSpan, align
from kazu_distill.words import words_of
from tests.tagger.drawn import LABELS, texts

CLASSES = {label: number for number, label in enumerate(LABELS)}


@st.composite
def labelled(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text and spans anywhere in it."""
    text = draw(texts.filter(bool))
    spans = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw(st.sampled_from(LABELS)), draw(st.sampled_from([0.0, 0.5, 1.0]))))
    return text, spans


def align_slowly(text: str, spans: list[Span]) -> tuple[list[WordSpan], AlignmentCounts]:
    """The rule, character by character."""
    words = words_of(text).tolist()
    covered = {
        number: [word for word, place in enumerate(words) if set(range(*place)) & set(range(span.start, span.end))]
        for number, span in enumerate(spans)
    }
    aligned: list[WordSpan] = []
    moved = overlapping = 0
    for number, own in sorted(covered.items(), key=lambda each: (-spans[each[0]].score, -len(each[1]), each[1][:1])):
        span, label = spans[number], CLASSES[spans[number].label]
        if not own:
            continue
        if any(other.label == label and set(range(other.first, other.last)) & set(own) for other in aligned):
            overlapping += 1
            continue
        moved += (words[own[0]][0], words[own[-1]][1]) != (span.start, span.end)
        aligned.append(WordSpan(own[0], own[-1] + 1, label, span.score))
    wordless = sum(not own for own in covered.values())
    return sorted(aligned, key=lambda span: (span.first, span.last, span.label)), AlignmentCounts(
        len(spans), moved, overlapping, wordless
    )


@settings(deadline=None)
@given(labelled())
def test_alignment_and_its_counts_are_those_of_the_slow_rule(drawn: tuple[str, list[Span]]) -> None:
    text, spans = drawn
    assert align(spans, words_of(text), CLASSES) == align_slowly(text, spans)


def test_an_edge_inside_a_word_moves_to_the_words_edge() -> None:
    aligned, counts = align([Span(7, 15, "gene")], words_of("the nondiabetic arm"), CLASSES)
    assert aligned == [WordSpan(1, 2, 0, 1.0)]
    assert counts == AlignmentCounts(spans=1, moved=1)


def test_of_overlapping_spans_of_one_class_the_longest_is_expressed_and_the_others_are_counted() -> None:
    spans = [Span(0, 3, "gene"), Span(0, 13, "gene"), Span(4, 13, "gene"), Span(4, 7, "disease, disorder")]
    aligned, counts = align(spans, words_of("one two three"), CLASSES)
    assert aligned == [WordSpan(0, 3, 0, 1.0), WordSpan(1, 2, 1, 1.0)]
    assert counts == AlignmentCounts(spans=4, overlapping=2)


def test_of_overlapping_spans_of_one_class_the_surest_is_expressed_however_short() -> None:
    spans = [Span(0, 7, "gene", 0.6), Span(4, 7, "gene", 0.9), Span(4, 13, "disease, disorder", 0.6)]
    aligned, counts = align(spans, words_of("one two three"), CLASSES)
    assert aligned == [WordSpan(1, 2, 0, 0.9), WordSpan(1, 3, 1, 0.6)]
    assert counts == AlignmentCounts(spans=3, overlapping=1)


def test_a_span_without_a_word_is_counted() -> None:
    assert align([Span(0, 1, "gene")], words_of("  "), CLASSES) == ([], AlignmentCounts(spans=1, wordless=1))
    assert align([Span(1, 2, "gene")], words_of("a b"), CLASSES) == ([], AlignmentCounts(spans=1, wordless=1))
    assert align([], np.empty((0, 2), np.int32), CLASSES) == ([], AlignmentCounts())
