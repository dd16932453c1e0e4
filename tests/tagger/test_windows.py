from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.windows import Windower, stitch
from tests.tagger.encoders import minilm

TOKENIZER: Any = AutoTokenizer.from_pretrained(minilm().name)
SCHEME = LabelScheme(["gene"])

texts = st.lists(
    st.sampled_from(
        ["gout", "immunohistochemistry", "IL-2", "α-synuclein", "糖尿病", "Sjo\u0308gren", "🧬", ".", "\n", "Ca²⁺"]
    ),
    max_size=40,
).map(" ".join)


@st.composite
def windowers(draw: st.DrawFn) -> Windower:
    max_length = draw(st.integers(4, 24))
    return Windower(TOKENIZER, max_length=max_length, stride=draw(st.integers(0, max_length - 3)))


@given(windowers(), texts)
def test_windows_fit_hold_every_word_and_move_on(windower: Windower, text: str) -> None:
    tokenized = windower.tokenize([text])[0]
    windows = windower.windows(tokenized)
    covered = {word for window in windows for word in range(window.first_word, window.last_word)}
    assert covered == set(range(len(tokenized.words)))
    for window in windows:
        ids = windower.input_ids(tokenized, window)
        assert ids[0] == TOKENIZER.cls_token_id
        assert ids[-1] == TOKENIZER.sep_token_id
        for word, position in zip(
            range(window.first_word, window.last_word), windower.positions(tokenized, window), strict=True
        ):
            assert ids[position] == tokenized.tokens[tokenized.first_tokens[word]]
    firsts = [window.first_word for window in windows]
    assert firsts == sorted(set(firsts))


@given(windowers(), texts)
@settings(max_examples=200)
def test_every_word_is_decided_once_where_it_has_most_context(windower: Windower, text: str) -> None:
    tokenized = windower.tokenize([text])[0]
    windows = windower.windows(tokenized)
    answers = [
        np.full((window.last_word - window.first_word, 1), number, dtype=np.float32)
        for number, window in enumerate(windows)
    ]
    chosen = stitch(tokenized, windows, answers, tags=1)[:, 0]
    total = len(tokenized.tokens)
    for word, first in enumerate(tokenized.first_tokens):
        contexts = {
            number: min(
                first - window.start if window.start else total, window.end - first if window.end < total else total
            )
            for number, window in enumerate(windows)
            if window.first_word <= word < window.last_word
        }
        assert contexts[int(chosen[word])] == max(contexts.values())


@given(windowers(), texts, st.data())
@settings(max_examples=200)
def test_no_span_is_broken_grown_or_lost_at_a_window_border(windower: Windower, text: str, data: st.DataObject) -> None:
    tokenized = windower.tokenize([text])[0]
    words = tokenized.words
    edges = data.draw(st.lists(st.integers(0, len(words)), unique=True, max_size=6).map(sorted))
    spans = tuple(
        Span(words[first][0], words[after - 1][1], "gene")
        for first, after in zip(edges[::2], edges[1::2], strict=False)
    )
    tags, _ = SCHEME.tag(spans, words)
    said = np.zeros((len(words), 2), dtype=np.float32)  # an oracle in the model's place: the truth, word by word
    for tag in tags:
        said[tag.word, tag.tag] = 1.0
    windows = windower.windows(tokenized)
    answers = [said[window.first_word : window.last_word] for window in windows]
    assert SCHEME.spans(stitch(tokenized, windows, answers, tags=2), words, threshold=0.5) == spans


def test_a_short_text_is_one_window_and_an_empty_one_none() -> None:
    windower = Windower(TOKENIZER, max_length=512, stride=64)
    short, empty = windower.tokenize(["EGFR binds.", "  "])
    assert len(windower.windows(short)) == 1
    assert windower.windows(empty) == []
    assert windower.tokenize([]) == []


def test_neighbouring_windows_share_about_the_stride() -> None:
    windower = Windower(TOKENIZER, max_length=102, stride=20)
    tokenized = windower.tokenize(["gout " * 500])[0]
    windows = windower.windows(tokenized)
    shared = [first.end - second.start for first, second in pairwise(windows)]
    assert set(shared) == {20}


@pytest.mark.parametrize(("max_length", "stride"), [(2, 0), (10, 8), (10, -1)])
def test_windows_without_room_are_refused(max_length: int, stride: int) -> None:
    with pytest.raises(ConfigError, match="stride"):
        Windower(TOKENIZER, max_length=max_length, stride=stride)
