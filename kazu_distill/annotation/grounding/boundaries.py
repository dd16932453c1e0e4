"""Where in a text a mention may begin or end."""

from __future__ import annotations

import unicodedata

from kazu_distill.annotation.grounding.folding import ACCENTS, INVISIBLE

# Thai, Lao, Burmese, Khmer; Japanese kana; Chinese characters with their extensions: written without spaces.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = tuple((ord(UNSPACED[index]), ord(UNSPACED[index + 2])) for index in range(0, len(UNSPACED), 3))
_LONGEST_ATTACHED = 16  # characters to look past for the letter that marks belong to


def is_boundary(text: str, index: int) -> bool:
    """Whether a mention may begin or end between characters ``index - 1`` and ``index``.

    Not inside a word, nor before a combining mark. Scripts without spaces between words (Chinese, Japanese, Thai …)
    have a boundary at every character.
    """
    if index <= 0 or index >= len(text):
        return True
    after, before = text[index], text[index - 1]
    if after.isascii() and before.isascii():  # nearly always; the rest is slow
        return not (after.isalnum() and before.isalnum())
    if unicodedata.category(after)[0] == "M":  # accents, vowel signs of Indic scripts, variation selectors
        return False
    nearest_before = _letter(text[max(0, index - _LONGEST_ATTACHED) : index][::-1])
    return not (_in_word(nearest_before) and _in_word(_letter(text[index : index + _LONGEST_ATTACHED])))


def past_accents(text: str, index: int) -> int:
    """``index``, or where the accents that follow it end: they are of the letter before, though folding drops them."""
    while index < len(text) and text[index] in ACCENTS:
        index += 1
    return index


def _letter(characters: str) -> str:
    """The first that is neither invisible nor a mark on another one."""
    return next((character for character in characters if not _is_attached(character)), " ")


def _is_attached(character: str) -> bool:
    return character in INVISIBLE or unicodedata.category(character)[0] == "M"


def _in_word(character: str) -> bool:
    return character.isalnum() and not _writes_without_spaces(character)


def _writes_without_spaces(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSPACED) and unicodedata.category(character) == "Lo"
