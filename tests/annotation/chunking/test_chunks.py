import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.chunking.chunks import Chunk, Chunker
from kazu_distill.annotation.chunking.sentences import ends_in
from kazu_distill.errors import ConfigError
from kazu_distill.llm.tokens import estimate_tokens

pieces = st.sampled_from(
    ["gout", "EGFR", " ", ". ", ".", "\n", "\r\n", ", ", "糖", "。", "👩‍⚕️", "🇩🇪", "e\u0301", "1", "\u0301", " The"]
)
texts = st.one_of(st.lists(pieces, max_size=60).map("".join), st.text(max_size=60))
limits = st.integers(1, 20)

SENTENCE = "Aspirin, given daily, lowered the risk of stroke in older patients. "
PAPER = ("Methods\n" + (SENTENCE * 7).strip() + "\n") * 60


def parts(text: str, chunks: list[Chunk]) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in chunks]


def characters_end(text: str) -> set[int]:
    """Every place between two characters as a reader sees them."""
    return {match.end() for match in regex.finditer(r"\X", text)} | {0}


@given(texts, limits)
def test_chunks_cover_all_of_the_text_but_space(text: str, tokens: int) -> None:
    position = 0
    for chunk in Chunker(tokens=tokens).chunks(text):
        assert chunk.start < chunk.end
        assert not text[position : chunk.start].strip()
        assert text[chunk.start : chunk.end].strip()
        position = chunk.end
    assert not text[position:].strip()


@given(texts, limits)
def test_no_chunk_is_larger_than_the_limit_unless_it_is_one_character(text: str, tokens: int) -> None:
    for part in parts(text, Chunker(tokens=tokens).chunks(text)):
        assert estimate_tokens(part) <= tokens or regex.fullmatch(r"\X", part)


@given(texts, limits)
def test_no_cut_splits_a_character(text: str, tokens: int) -> None:
    cuts = {end for chunk in Chunker(tokens=tokens).chunks(text) for end in (chunk.start, chunk.end)}
    assert cuts <= characters_end(text)


@given(texts, limits)
def test_the_same_text_is_cut_in_the_same_way(text: str, tokens: int) -> None:
    assert Chunker(tokens=tokens).chunks(text) == Chunker(tokens=tokens).chunks(text)


def test_a_text_that_fits_is_one_chunk_and_a_blank_one_none() -> None:
    assert Chunker(tokens=20).chunks(" Gout hurts. It is old.\n") == [Chunk(0, 24)]
    assert Chunker(tokens=5).chunks("") == Chunker(tokens=5).chunks(" \n") == []


def test_a_text_a_little_over_the_limit_becomes_two_of_one_size() -> None:
    text = SENTENCE * 20
    tokens = estimate_tokens(text)
    sizes = [estimate_tokens(part) for part in parts(text, Chunker(tokens=tokens - 5).chunks(text))]
    assert sizes == [sizes[0]] * 2


def test_a_paper_is_cut_at_paragraph_ends_into_few_chunks_of_about_one_size() -> None:
    chunks = Chunker(tokens=1000).chunks(PAPER)
    assert {chunk.end for chunk in chunks[:-1]} <= set(ends_in(PAPER).paragraphs)
    sizes = [estimate_tokens(part) for part in parts(PAPER, chunks)]
    assert min(sizes) > 0.6 * max(sizes)
    assert len(chunks) <= 1.25 * estimate_tokens(PAPER) / 1000 + 1


def test_a_long_sentence_is_cut_at_a_clause_else_at_a_space_else_between_characters() -> None:
    chunker = Chunker(tokens=4)
    assert parts("mice slept, rats ran on", chunker.chunks("mice slept, rats ran on")) == [
        "mice slept, ",
        "rats ran on",
    ]
    assert all(part.endswith(" ") for part in parts("mice " * 9, chunker.chunks("mice " * 9)))
    assert parts("糖尿病糖尿病", chunker.chunks("糖尿病糖尿病")) == ["糖尿病", "糖尿病"]


HOSTILE: dict[str, Callable[[int], str]] = {
    "sentences": lambda n: SENTENCE * (n // 68),
    "no sentence end": lambda n: "word " * (n // 5),
    "no space": lambda n: "a" * n,
    "stops": lambda n: "." * n,
    "stops and spaces": lambda n: ". " * (n // 2),
    "abbreviations": lambda n: "Fig. 2 " * (n // 7),
    "spaces": lambda n: "a" + " " * n + "b",
    "lines": lambda n: "x\n " * (n // 3),
    "closing quotes": lambda n: "." + '"' * n,
    "commas": lambda n: "1," * (n // 2),
    "accents": lambda n: "e" + "\u0301" * n,
    "flags": lambda n: "🇩🇪" * (n // 2),
    "without spaces": lambda n: "糖" * n,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_work_grows_as_the_text_does(kind: str) -> None:
    chunker = Chunker(tokens=50, context_tokens=20)

    def work(text: str) -> None:
        for chunk in chunker.chunks(text):
            chunker.context(text, chunk)

    short, long = (calls_in(work, HOSTILE[kind](size)) for size in (5_000, 40_000))
    assert long < 8 * short * 1.3 + 500


def calls_in(function: Callable[[str], None], text: str) -> int:
    """How many functions, ours and the interpreter's, are called."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("kind", HOSTILE)
def test_half_a_megabyte_of_anything_is_cut(kind: str) -> None:
    # A pattern that reads a run again from each of its characters would take hours, and no call shows it.
    text = HOSTILE[kind](500_000)
    chunks = Chunker(tokens=1000).chunks(text)
    assert sum(chunk.end - chunk.start for chunk in chunks) >= len(text) - text.count(" ")


@given(texts, st.integers(0, 80), st.integers(0, 80))
def test_halves_are_the_whole_and_have_text(text: str, start: int, end: int) -> None:
    chunk = Chunk(min(start, end, len(text)), min(max(start, end), len(text)))
    halves = Chunker(tokens=9).halves(text, chunk)
    assert (halves[0].start, halves[-1].end) == (chunk.start, chunk.end)
    assert all(first.end == second.start for first, second in pairwise(halves))
    assert len(halves) == 1 or (len(halves) == 2 and all(part.strip() for part in parts(text, halves)))


def test_halves_are_cut_near_the_middle_at_the_best_place() -> None:
    chunker = Chunker(tokens=100)
    text = "Gout hurts. It is old. Rest helps those who have it."
    assert parts(text, chunker.halves(text, Chunk(0, len(text)))) == ["Gout hurts. It is old. ", text[23:]]
    assert parts("糖尿病病", chunker.halves("糖尿病病", Chunk(0, 4))) == ["糖尿", "病病"]
    assert chunker.halves("xx👩‍⚕️", Chunk(2, 6)) == [Chunk(2, 6)]


def test_the_context_is_the_whole_sentences_before_a_chunk_that_fit() -> None:
    text = "Gout hurts. It is old. Rest helps those who have it."
    tokens = estimate_tokens("Gout hurts. It is old. ")
    chunk = Chunk(23, len(text))
    for context_tokens, context in ((tokens, "Gout hurts. It is old."), (tokens - 1, "It is old."), (1, ""), (0, "")):
        chunker = Chunker(tokens=20, context_tokens=context_tokens)
        assert chunker.context(text, chunk) == context
        assert chunker.context(text, Chunk(0, 23)) == ""


@given(texts, limits, limits)
def test_the_context_stands_right_before_its_chunk_and_keeps_to_its_limit(text: str, tokens: int, most: int) -> None:
    chunker = Chunker(tokens=tokens, context_tokens=most)
    for chunk in chunker.chunks(text):
        context = chunker.context(text, chunk)
        assert text[: chunk.start].rstrip().endswith(context)
        assert estimate_tokens(context) <= most


@pytest.mark.parametrize("settings", [{"tokens": 0}, {"tokens": 5, "context_tokens": -1}])
def test_limits_that_make_no_sense_are_an_error(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"chunks\."):
        Chunker(**settings)
