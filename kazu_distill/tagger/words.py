"""Cutting a text into the words that the model labels."""

from __future__ import annotations

import regex

# A run of letters, digits and their combining marks; or one character of a script that puts no spaces between words;
# or one character of anything else that is not white space.
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
    r"|(?:(?![\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])[\p{L}\p{N}\p{M}])+"
    r"|\S\p{M}*"
)


def words_of(text: str) -> list[tuple[int, int]]:
    """Start and end of every word, in code points, end exclusive. Words do not overlap and leave out only space."""
    return [match.span() for match in _WORD.finditer(text)]
