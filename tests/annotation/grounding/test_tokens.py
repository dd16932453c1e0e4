"""Texts made comparable: folding, tokens, and the search for sequences of them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding import search
from kazu_distill.annotation.grounding.folding import fold
from kazu_distill.annotation.grounding.search import find_sequences
from kazu_distill.annotation.grounding.tokens import tokenise, words_of

texts = st.text(alphabet="aA1 -+\u00ad\u200b\u0301éßİﬁ²½α’\n(糖", max_size=30) | st.text(max_size=30)


@given(texts)
def test_folding_knows_where_each_character_came_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origins)
    assert list(folded.origins) == sorted(folded.origins)
    for character, origin in zip(folded.text, folded.origins, strict=True):
        assert character in fold(text[origin]).text or character == " "
    if folded.one_to_one:
        assert len(set(folded.origins)) == len(folded.origins)


@given(texts)
def test_equivalent_unicode_forms_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)).text == fold(unicodedata.normalize("NFD", text)).text


@given(texts)
def test_tokens_stand_where_they_say(text: str) -> None:
    tokens = tokenise(text)
    ends = 0
    for index, word in enumerate(tokens.words):
        assert ends <= tokens.starts[index] < tokens.ends[index]
        ends = tokens.ends[index]
        place = tokens.place(index, index)
        if place is not None:
            assert tokenise(text[slice(*place)]).words in ([word], [])  # [] for a hyphen that only here is a token


@given(st.lists(texts))
def test_the_words_of_many_strings_are_those_of_each(strings: list[str]) -> None:
    assert words_of(strings) == [tuple(tokenise(string.replace("\0", " ")).words) for string in strings]


@pytest.mark.parametrize(
    ("one", "other"),
    [("IL-2", "IL 2"), ("TNF-alpha", "TNFα"), ("µg", "μg"), ("a - b", "a-b"), ("Na+-K+", "Na+ K+"), ("ΟΔΟΣ", "οδος")],
)
def test_what_is_only_written_otherwise_has_the_same_tokens(one: str, other: str) -> None:
    assert tokenise(one).words == tokenise(other).words


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ca2+", "Ca2-"), ("Ca2+", "Ca²⁻"), ("(+)-x", "(-)-x"), ("1-2", "12"), ("1-2", "1 2"), ("IL-2", "IL-3"),
     ("мой", "мои"), ("Cl-", "Cl"), ("2,3-x", "23-x")],
)  # fmt: skip
def test_what_means_something_else_has_other_tokens(one: str, other: str) -> None:
    assert tokenise(one).words != tokenise(other).words


sequences = st.lists(st.sampled_from("abc"), max_size=12)
needles = st.lists(st.lists(st.sampled_from("abd"), max_size=3), max_size=5)


@given(sequences, needles)
def test_sequences_are_found_as_by_trying_everything(haystack: list[str], wanted: list[list[str]]) -> None:
    expected = {
        tuple(needle): found
        for needle in wanted
        if needle
        and (
            found := [
                (at, at + len(needle) - 1) for at in range(len(haystack)) if haystack[at : at + len(needle)] == needle
            ]
        )
    }
    assert find_sequences(haystack, wanted) == expected


def test_more_elements_than_digits_are_told_apart() -> None:
    elements = [f"w{number}" for number in range(3_000)]
    assert find_sequences(elements, [elements[5:7], elements[2_999:]]) == {
        ("w5", "w6"): [(5, 6)],
        ("w2999",): [(2_999, 2_999)],
    }


def test_after_very_many_places_the_longest_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_PLACES", 10)
    found = find_sequences("a" * 100, ["a", "aa", "aaaaa"])
    assert sum(map(len, found.values())) <= 10 + 100 / 5 + 5
    assert found[tuple("aaaaa")][-1][1] >= 95
