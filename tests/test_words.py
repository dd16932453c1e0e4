import sys

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.words import words_of

# The same rule, said once more: a character of a script without spaces, with its marks; a run of other letters, digits
# and marks; any other character that is not space, with its marks.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|(?:(?![{_UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}])+|\S\p{{M}}*")


def slowly(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORD.finditer(text)]


def places(text: str) -> list[tuple[int, int]]:
    return [(start, end) for start, end in words_of(text).tolist()]


@settings(deadline=None)
@given(st.text(max_size=30) | st.text("aB1² \n-(中กำ\u0e31\u0301\u0308🧬क\u093eあ\u3099\u1039\ud800", max_size=12))
def test_words_are_those_of_the_slow_rule(text: str) -> None:
    assert places(text) == slowly(text)


@pytest.mark.parametrize("before", ["", "a", "中", "("])
def test_every_character_is_what_the_slow_rule_says_it_is(before: str) -> None:
    text = " ".join(f"{before}{chr(point)}\u0301" for point in range(sys.maxunicode + 1))
    assert places(text) == slowly(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IL-2 (Ca²⁺)", ["IL", "-", "2", "(", "Ca²", "⁺", ")"]),
        ("Sjo\u0308gren's 5′", ["Sjo\u0308gren", "'", "s", "5", "′"]),
        ("患有gout病", ["患", "有", "gout", "病"]),
        ("🧬🧬", ["🧬", "🧬"]),
        (" \n\t", []),
        ("", []),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in places(text)] == words
