from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.chunks import Chunk, chunks_of, halves

texts = st.text(alphabet="ab. AB\n!糖。", max_size=80)


@given(texts, st.integers(1, 20))
def test_chunks_cover_the_text_in_order_and_none_is_too_long(text: str, longest: int) -> None:
    chunks = chunks_of(text, longest=longest)
    position = 0
    for chunk in chunks:
        assert chunk.end - chunk.start <= longest
        assert not text[position : chunk.start].strip()
        position = chunk.end
    assert not text[position:].strip()


def test_a_text_is_cut_at_sentence_ends() -> None:
    text = "Gout hurts. It is old. Rest helps."
    assert [text[chunk.start : chunk.end] for chunk in chunks_of(text, longest=25)] == [
        "Gout hurts. It is old. ",
        "Rest helps.",
    ]


def test_a_sentence_that_is_too_long_is_cut_at_a_space_and_a_word_in_its_middle() -> None:
    assert chunks_of("gout hurts", longest=7) == [Chunk(0, 5), Chunk(5, 10)]
    assert chunks_of("gouthurts", longest=5) == [Chunk(0, 5), Chunk(5, 9)]


def test_an_empty_text_has_no_chunk() -> None:
    assert chunks_of("", longest=5) == []
    assert chunks_of(" \n", longest=5) == []


@given(texts, st.integers(0, 80), st.integers(0, 80))
def test_halves_are_the_whole(text: str, start: int, end: int) -> None:
    chunk = Chunk(min(start, end, len(text)), min(max(start, end), len(text)))
    parts = halves(text, chunk)
    assert (parts[0].start, parts[-1].end) == (chunk.start, chunk.end)
    assert all(first.end == second.start for first, second in pairwise(parts))
    assert len(parts) == 1 or all(part.start < part.end for part in parts)


def test_halves_are_cut_at_the_sentence_end_nearest_to_the_middle() -> None:
    text = "Gout hurts. It is old. Rest helps those who have it."
    assert halves(text, Chunk(0, len(text))) == [Chunk(0, 23), Chunk(23, len(text))]
    assert halves("糖尿病", Chunk(0, 3)) == [Chunk(0, 3)]
