"""Texts as windows of tokens that fit the encoder, and the windows' answers as one answer for each word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from kazu_distill.errors import ConfigError
from kazu_distill.words import words_of


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """A text's words, its tokens without special ones, and the token that stands for each word.

    ``first_tokens[w]`` is the index of word ``w``'s first token; no two words have the same. Words for which the
    tokenizer has no token are left out. A token that holds several words can give them but one answer, so they are one
    word here: from the first to the last of them that begins with a letter or digit ("(TNF" stands for "TNF", "TNF-2"
    for all of it), or, if none does, the first.
    """

    words: NDArray[np.int32]  # (words, 2): start and end of each, in code points
    tokens: NDArray[np.int32]
    first_tokens: NDArray[np.int32]  # (words,)


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
        # The tokenizer itself, without transformers around it: faster, and processes get it without loading all that.
        self._tokenizer = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._max_length = max_length
        encoded = tokenizer("a", return_special_tokens_mask=True)
        special = encoded["special_tokens_mask"]
        before = special.index(0)
        after = special[::-1].index(0)
        self._prefix = np.array(encoded["input_ids"][:before], dtype=np.int32)
        self._suffix = np.array(encoded["input_ids"][len(special) - after :], dtype=np.int32)
        self._room = max_length - before - after
        self._stride = stride
        if not 0 <= stride < self._room:
            raise ConfigError(
                f"tagger.stride={stride}: it must be from 0 to {self._room - 1}, "
                f"since a window of tagger.max_length={max_length} has room for {self._room} tokens"
            )

    def description(self) -> str:
        """Everything that windows depend on, as JSON: the tokenizer with its vocabulary, and the lengths."""
        special = [self._prefix.tolist(), self._suffix.tolist()]
        return json.dumps([self._tokenizer.to_str(), special, self._max_length, self._stride])

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Tokenize texts; none is cut."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [_place_words(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def windows(self, text: TokenizedText) -> list[Window]:
        """Windows that together hold every word; a text without words has none."""
        if not len(text.words):
            return []
        total, firsts = len(text.tokens), text.first_tokens
        windows: list[Window] = []
        word = 0
        while True:
            # The first begins where the text does, unless tokens without words would fill it.
            start = int(firsts[word]) if windows or firsts[0] >= self._room else 0
            end = min(start + self._room, total)
            last = int(firsts.searchsorted(end))
            if last - word > 1 and (firsts[last] if last < len(firsts) else total) > end:
                last -= 1  # the last word's tokens go on after the window; the next one has it whole
                end = int(firsts[last])
            windows.append(Window(start, end, word, last))
            if last == len(firsts):
                return windows
            within_stride = int(firsts.searchsorted(end - self._stride))
            word = max(word + 1, min(within_stride, last))

    def input_ids(self, text: TokenizedText, window: Window) -> NDArray[np.int32]:
        """A window's tokens with the special ones, ``(tokens,)``."""
        return np.concatenate((self._prefix, text.tokens[window.start : window.end], self._suffix))

    @property
    def tokens_behind(self) -> int:
        """How many special tokens stand behind a window's own."""
        return len(self._suffix)

    def positions(self, text: TokenizedText, window: Window) -> NDArray[np.int32]:
        """Where in the window's input the first token of each of its words stands, ``(words,)``."""
        return text.first_tokens[window.first_word : window.last_word] + np.int32(len(self._prefix) - window.start)


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
    firsts = text.first_tokens
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


def _place_words(text: str, encoding: Encoding) -> TokenizedText:
    tokens = np.array(encoding.ids, dtype=np.int32)
    edges = np.fromiter(chain.from_iterable(encoding.offsets), np.int32, 2 * len(tokens)).reshape(-1, 2)
    words = words_of(text)
    # Tokens of some tokenizers begin with the space before the word, so it is their end that counts. Where marks of a
    # letter are reordered ends go back, but not behind the beginning of a word.
    found = edges[:, 1].searchsorted(words[:, 0], side="right")
    starts = np.append(edges[:, 0], len(text))
    has_token = starts[found] < words[:, 1]
    words, found = words[has_token], found[has_token]
    if (found[1:] == found[:-1]).any():
        words, found = _joined(text, words, found)
    return TokenizedText(words, tokens, found.astype(np.int32))


def _joined(
    text: str, words: NDArray[np.int32], found: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Words that share a token as one; and their tokens."""
    lettered = np.array([any(map(str.isalnum, text[start:end])) for start, end in words.tolist()])
    group = np.cumsum(np.append(False, found[1:] != found[:-1]))
    has_letters = np.zeros(group[-1] + 1, dtype=np.bool_)
    has_letters[group[lettered]] = True
    first_of_group = np.append(True, group[1:] != group[:-1])
    kept = np.flatnonzero(np.where(has_letters[group], lettered, first_of_group))
    firsts = kept[np.append(True, np.diff(group[kept]) > 0)]
    lasts = kept[np.append(np.diff(group[kept]) > 0, True)]
    return np.stack((words[firsts, 0], words[lasts, 1]), axis=1), found[firsts]
