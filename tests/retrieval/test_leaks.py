"""What is the text itself, or nearly, or a part of it, is found out; what only has the same words is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section
from kazu_distill.retrieval.leaks import HeldOut, Leak, LeakGuard
from kazu_distill.retrieval.pieces import Pieces, Whole
from kazu_distill.shingles import SIMILAR, folded, shingles_of
from tests.retrieval.pools import WORDS, labelled, prose


def leak(pool: str, text: str, *, whole: str | None = None, document: str | None = None) -> Leak | None:
    """The leak of one piece of a pool, of one whole, for a text of a document."""
    pieces = Pieces([pool], [0], [Whole("pool", (whole or pool,))])
    question = LeakGuard(pieces).question(text, labelled("asked", document or text))
    return None if question.allows(0) else question.refused[0]


def edited(text: str, edits: int, seed: int) -> str:
    """A text with some words replaced, and with other case and spaces."""
    words = text.split()
    for place in random.Random(seed).sample(range(len(words)), edits):
        words[place] = "otherwise"
    return "  ".join(words).upper()


def slow_leak(pool: str, text: str) -> bool:
    """Whether one of two whole texts has four of five of the other's runs of words."""
    one, other = (shingles_of(folded([string])) for string in (pool, text))
    shared = len([shingle for shingle in one if shingle in other])
    return shared >= SIMILAR * min(len(one), len(other))


@given(st.integers(0, 10**6))
def test_a_text_is_not_shown_with_itself_whatever_its_case_spaces_and_name(seed: int) -> None:
    text = prose(seed)
    assert leak(f" {text.title()}\n", text) is Leak.SELF


@given(st.integers(0, 10**6), st.integers(1, 2))
def test_small_edits_do_not_hide_it(seed: int, edits: int) -> None:
    text = prose(seed, 120)  # an edit changes five of 116 shingles
    assert leak(edited(text, edits, seed), text) is Leak.NEAR_DUPLICATE


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(WORDS[:4]), min_size=1, max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS[:4]), min_size=1, max_size=14).map(" ".join),
)
def test_it_is_what_the_slow_comparison_says(pool: str, text: str) -> None:
    assert (leak(pool, text) is not None) == slow_leak(pool, text)
    assert HeldOut([labelled("asked", text)]).leaks(Pieces([pool], [0], [Whole("pool", (pool,))])) == [
        slow_leak(pool, text)
    ]


def test_a_paper_keeps_the_abstract_out_that_was_labelled_by_itself_and_the_other_way_round() -> None:
    abstract, body = prose(1, 120), prose(2, 2000)
    paper = f"{abstract}\n\n{body}"
    assert leak(abstract, body, document=paper) is Leak.NEAR_DUPLICATE
    assert leak(body, abstract, whole=paper) is Leak.NEAR_DUPLICATE
    assert leak(paper, abstract) is Leak.NEAR_DUPLICATE


def test_a_chunk_that_stands_in_both_is_not_shown_and_the_rest_is() -> None:
    statement, one, other = prose(1, 40), prose(2, 400), prose(3, 400)
    pieces = Pieces([statement, one], [0, 0], [Whole("pool", (f"{statement} {one}",))])
    question = LeakGuard(pieces).question(statement, labelled("asked", f"{statement} {other}"))
    assert [question.allows(0), question.allows(1)] == [False, True]


def test_the_same_id_is_enough_and_the_same_words_are_not() -> None:
    text = prose(1, 200)
    shuffled = " ".join(random.Random(0).sample(text.split(), 200))
    assert leak(shuffled, text) is None
    pieces = Pieces([shuffled], [0], [Whole("asked", (shuffled,))])
    question = LeakGuard(pieces).question(text, labelled("asked", text))
    assert not question.allows(0)
    assert question.refused == {0: Leak.SELF}


def test_what_is_measured_on_is_held_out_by_id_by_text_and_in_parts() -> None:
    texts = {name: prose(seed, 200) for seed, name in enumerate(("id", "text", "part", "whole", "free"))}
    held_out = [
        Document("id", (Section("", prose(99)),)),
        labelled("renamed", edited(texts["text"], 1, 0)),
        labelled("paper", f"{prose(98, 500)} {texts['part']}"),
        labelled("abstract", texts["whole"][:600]),
        labelled("empty", " "),
    ]
    pieces = Pieces(list(texts.values()), range(5), [Whole(name, (text,)) for name, text in texts.items()])
    assert HeldOut(held_out).leaks(pieces) == [True, True, True, True, False]
    assert HeldOut([]).leaks(pieces) == [False] * 5


def test_chunks_of_a_document_are_compared_with_all_of_it() -> None:
    first, second, other = prose(1, 100), prose(2, 100), prose(3, 100)
    document = Document("asked", (Section("a", first), Section("b", second)))
    pieces = Pieces([second, other], [0, 1], [Whole("x", (second,)), Whole("y", (other,))])
    question = LeakGuard(pieces).question(first, document)
    assert [question.allows(0), question.allows(1)] == [False, True]


@pytest.mark.parametrize("text", ["—", "…"])
def test_texts_without_words_are_the_same_only_as_each_other(text: str) -> None:
    assert leak("—", text) is not None
    assert leak(prose(1), text) is None
