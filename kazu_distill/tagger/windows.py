"""Texts as windows of tokens that fit the encoder, and the windows' answers as one answer for each word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.words import words_of


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text's words, its tokens without special ones, and the token that stands for each word.

    Only words that the tokenizer gives a token have a place here; ``first_tokens[w]`` is the index of word ``w``'s
    first token. Two words may share a token where the tokenizer joins them.
    """

    words: list[tuple[int, int]]
    tokens: list[int]
    first_tokens: list[int]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text's tokens: tokens ``start`` to ``end`` (exclusive), words ``first_word`` to ``last_word``."""

    start: int
    end: int
    first_word: int
    last_word: int


class Windower:
    """Tokenizes texts and cuts them into windows.

    Args:
        tokenizer: a fast tokenizer of ``transformers``.
        max_length: tokens of a window with its special tokens.
        stride: tokens that a window shares with the one before it, at least; it begins at a word.

    Raises:
        ConfigError: the windows would have no room, or would not move on.
    """

    def __init__(self, tokenizer: Any, *, max_length: int, stride: int) -> None:
        self._tokenizer = tokenizer
        encoded = tokenizer("a", return_special_tokens_mask=True)
        special = encoded["special_tokens_mask"]
        before = special.index(0)
        after = special[::-1].index(0)
        self.prefix: list[int] = encoded["input_ids"][:before]
        self.suffix: list[int] = encoded["input_ids"][len(special) - after :]
        self._room = max_length - len(self.prefix) - len(self.suffix)
        self._stride = stride
        if not 0 <= stride < self._room:
            raise ConfigError(
                f"tagger.stride={stride}: it must be from 0 to {self._room - 1}, "
                f"since a window of tagger.max_length={max_length} has room for {self._room} tokens"
            )

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Tokenize texts; none is cut."""
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False,
            return_token_type_ids=False, truncation=False, verbose=False,
        )  # fmt: skip
        return [
            _place_words(text, tokens, offsets)
            for text, tokens, offsets in zip(texts, encoded["input_ids"], encoded["offset_mapping"], strict=True)
        ]

    def windows(self, text: TokenizedText) -> list[Window]:
        """Windows that together hold every word; a text without words has none."""
        if not text.words:
            return []
        total, firsts = len(text.tokens), text.first_tokens
        windows: list[Window] = []
        word = 0
        while True:
            start = firsts[word] if windows else 0
            end = min(start + self._room, total)
            last = word
            while last < len(firsts) and firsts[last] < end:
                last += 1
            if last - word > 1 and (firsts[last] if last < len(firsts) else total) > end:
                last -= 1  # the last word's tokens go on after the window; the next one has it whole
                end = firsts[last]
            windows.append(Window(start, end, word, last))
            if last == len(firsts):
                return windows
            following = last
            while following > word + 1 and end - firsts[following - 1] <= self._stride:
                following -= 1
            word = following

    def input_ids(self, text: TokenizedText, window: Window) -> list[int]:
        """A window's tokens with the special ones."""
        return [*self.prefix, *text.tokens[window.start : window.end], *self.suffix]

    def positions(self, text: TokenizedText, window: Window) -> list[int]:
        """Where in the window's input the first token of each of its words stands."""
        shift = len(self.prefix) - window.start
        return [first + shift for first in text.first_tokens[window.first_word : window.last_word]]


def stitch(
    text: TokenizedText, windows: Sequence[Window], answers: Sequence[NDArray[np.float32]], *, tags: int
) -> NDArray[np.float32]:
    """One row for each word, out of the window in which the word has most context on its poorer side.

    Args:
        text: the text.
        windows: its windows.
        answers: for each window ``(words of the window, tags)``.
        tags: the number of tags.

    Returns:
        ``(words, tags)``.
    """
    stitched = np.zeros((len(text.words), tags), dtype=np.float32)
    best = np.full(len(text.words), -1)
    firsts = np.asarray(text.first_tokens)
    for window, answer in zip(windows, answers, strict=True):
        own = slice(window.first_word, window.last_word)
        # The text's own edges are no border: nothing is hidden behind them.
        left = firsts[own] - window.start if window.start else np.full(len(answer), len(text.tokens))
        right = window.end - firsts[own] if window.end < len(text.tokens) else np.full(len(answer), len(text.tokens))
        context = np.minimum(left, right)
        better = context > best[own]
        best[own] = np.where(better, context, best[own])
        stitched[own][better] = answer[better]
    return stitched


def _place_words(text: str, tokens: list[int], offsets: Sequence[tuple[int, int]]) -> TokenizedText:
    words: list[tuple[int, int]] = []
    first_tokens: list[int] = []
    token = 0
    for start, end in words_of(text):
        # Tokens of some tokenizers begin with the space before the word, so it is their end that counts.
        while token < len(offsets) and offsets[token][1] <= start:
            token += 1
        if token < len(offsets) and offsets[token][0] < end and offsets[token][1] > offsets[token][0]:
            words.append((start, end))
            first_tokens.append(token)
    return TokenizedText(words, tokens, first_tokens)
