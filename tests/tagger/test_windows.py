import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.windows import TokenizedText, Window, Windower, stitch
from kazu_distill.words import words_of
from tests.tagger.drawn import LABELS, SCHEMES, over_characters, probabilities, texts, word_spans
from tests.tagger.encoders import minilm
from tests.tagger.families import byte_level, deberta_unigram, modern_byte_level, xlm_unigram

HALF = np.full(len(LABELS), 0.5, dtype=np.float32)
TOKENIZERS: dict[str, Callable[[], Any]] = {
    "wordpiece": lambda: AutoTokenizer.from_pretrained(minilm().name),
    "byte-level": byte_level,
    "byte-level, spaces in offsets": modern_byte_level,
    "unigram": xlm_unigram,
    "unigram, single spaces": deberta_unigram,
    "compatibility forms": lambda: of_pieces("▁", "▁(", "TN", "F", "1", "2", "/", "é", "naï"),
}


def of_pieces(*pieces: str) -> Any:
    """A tokenizer that knows a few pieces and characters, has one form of alike characters and drops some."""
    characters = [chr(point) for point in range(33, 127)]
    vocabulary = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    vocabulary += [(piece, -1.0 - number) for number, piece in enumerate(dict.fromkeys([*pieces, *characters]))]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("\u200b", ""), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


@functools.cache
def windower_of(name: str, max_length: int, stride: int) -> Windower:
    return Windower(tokenizer_of(name), max_length=max_length, stride=stride)


@functools.cache
def tokenizer_of(name: str) -> Any:
    return TOKENIZERS[name]()


@st.composite
def windowers(draw: st.DrawFn, name: str) -> Windower:
    max_length = draw(st.sampled_from([3, 4, 5, 8, 13, 24]))
    stride = draw(st.sampled_from([0, 1, 2, max_length // 2, max_length - 3]))
    return windower_of(name, max_length, min(stride, max_length - 3))


def of_each_tokenizer(test: Any) -> Any:
    return pytest.mark.parametrize("name", TOKENIZERS)(settings(deadline=None, max_examples=60)(test))


@of_each_tokenizer
@given(text=texts)
def test_words_have_each_a_token_of_their_own_in_which_they_stand(name: str, text: str) -> None:
    (tokenized,) = windower_of(name, 24, 8).tokenize([text])
    encoded = tokenizer_of(name)(text, add_special_tokens=False, return_offsets_mapping=True)
    assert tokenized.tokens.tolist() == encoded["input_ids"]
    assert (np.diff(tokenized.first_tokens) > 0).all()
    assert (tokenized.words[1:, 0] >= tokenized.words[:-1, 1]).all()
    all_words = words_of(text).tolist()
    assert {start for start, _ in tokenized.words.tolist()} <= {start for start, _ in all_words}
    assert {end for _, end in tokenized.words.tolist()} <= {end for _, end in all_words}
    offsets = encoded["offset_mapping"]
    for (start, end), token in zip(tokenized.words.tolist(), tokenized.first_tokens.tolist(), strict=True):
        first, last = offsets[token]
        assert first < end
        assert last > start


@of_each_tokenizer
@given(text=texts)
def test_no_word_with_a_letter_is_left_out_unless_the_tokenizer_drops_it(name: str, text: str) -> None:
    (tokenized,) = windower_of(name, 24, 8).tokenize([text])
    offsets = tokenizer_of(name)(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    covered = {character for start, end in tokenized.words.tolist() for character in range(start, end)}
    has_token = {character for start, end in offsets for character in range(start, end)}
    for start, end in words_of(text).tolist():
        if text[start].isalnum() and has_token & set(range(start, end)):
            assert covered >= set(range(start, end)), text[start:end]


@of_each_tokenizer
@given(text=texts, data=st.data())
def test_windows_fit_hold_every_word_and_move_on(name: str, text: str, data: st.DataObject) -> None:
    windower = data.draw(windowers(name))
    (tokenized,) = windower.tokenize([text])
    windows = windower.windows(tokenized)
    covered = {word for window in windows for word in range(window.first_word, window.last_word)}
    assert covered == set(range(len(tokenized.words)))
    alone = tokenizer_of(name)("a")["input_ids"]
    for window in windows:
        ids = windower.input_ids(tokenized, window)
        assert len(ids) <= windower._max_length
        assert (ids[0], ids[-1]) == (alone[0], alone[-1])
        for word, position in zip(
            range(window.first_word, window.last_word), windower.positions(tokenized, window), strict=True
        ):
            assert ids[position] == tokenized.tokens[tokenized.first_tokens[word]]
    firsts = [window.first_word for window in windows]
    assert firsts == sorted(set(firsts))


@of_each_tokenizer
@given(text=texts, data=st.data())
def test_every_word_is_decided_once_where_it_has_most_context(name: str, text: str, data: st.DataObject) -> None:
    windower = data.draw(windowers(name))
    (tokenized,) = windower.tokenize([text])
    windows = windower.windows(tokenized)
    answers = [
        np.full((window.last_word - window.first_word, 1), number, dtype=np.float32)
        for number, window in enumerate(windows)
    ]
    chosen = stitch(tokenized, windows, answers, tags=1)[:, 0]
    total = len(tokenized.tokens)
    assert len(chosen) == len(tokenized.words)
    for word, first in enumerate(tokenized.first_tokens):
        contexts = {
            number: min(
                first - window.start if window.start else total, window.end - first if window.end < total else total
            )
            for number, window in enumerate(windows)
            if window.first_word <= word < window.last_word
        }
        assert contexts[int(chosen[word])] == max(contexts.values())


@pytest.mark.parametrize("scheme", SCHEMES, ids=["bio", "io"])
@of_each_tokenizer
@given(text=texts, data=st.data())
def test_no_span_is_broken_grown_or_lost_at_a_window_border(
    name: str, scheme: LabelScheme, text: str, data: st.DataObject
) -> None:
    windower = data.draw(windowers(name))
    (tokenized,) = windower.tokenize([text])
    words = tokenized.words
    drawn = data.draw(word_spans(len(words), scheme))
    truth = probabilities(scheme.tag(drawn), len(words), scheme)
    windows = windower.windows(tokenized)
    answers = [answer_of_oracle(windower, tokenized, window, truth) for window in windows]
    stitched = stitch(tokenized, windows, answers, tags=len(scheme.tags))
    assert Reading.of([stitched], [words], scheme).spans(HALF) == [over_characters(drawn, words, scheme)]


def answer_of_oracle(
    windower: Windower, text: TokenizedText, window: Window, truth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The truth of the words of a window, out of a model's answer for each of its tokens, which is wrong elsewhere."""
    tokens = np.ones((len(text.tokens), truth.shape[1]), dtype=np.float32)
    tokens[text.first_tokens] = truth
    special = np.ones((1, truth.shape[1]), dtype=np.float32)
    answer = np.concatenate([special, tokens[window.start : window.end], special])
    assert len(answer) == len(windower.input_ids(text, window))
    return answer[windower.positions(text, window)]


@pytest.mark.parametrize(
    ("text", "pieces", "words"),
    [
        ("x (TNF) y", ["▁x", "▁(TN", "F)", "▁y"], ["x", "TNF", ")", "y"]),
        ("IL-2 up", ["▁IL-2", "▁up"], ["IL-2", "up"]),
        ("of TNF-induced", ["▁of", "▁TNF-", "induced"], ["of", "TNF", "induced"]),
        ("(TNF).", ["▁(", "TNF", ")."], ["(", "TNF", ")"]),
        ("病人 up", ["▁病人", "▁up"], ["病人", "up"]),
    ],
)
def test_words_in_one_token_are_one_word_without_the_punctuation_at_its_edges(
    text: str, pieces: list[str], words: list[str]
) -> None:
    (tokenized,) = Windower(of_pieces(*pieces), max_length=20, stride=0).tokenize([text])
    assert [text[start:end] for start, end in tokenized.words.tolist()] == words


def test_a_text_that_begins_with_more_space_than_a_window_holds_loses_no_word() -> None:
    windower = windower_of("byte-level, spaces in offsets", 8, 2)
    (tokenized,) = windower.tokenize(["\n \n " * 20 + "gout"])
    assert tokenized.first_tokens[0] > 8
    (window,) = windower.windows(tokenized)
    assert (window.first_word, window.last_word) == (0, 1)


def test_a_tokenizer_that_is_set_to_cut_or_pad_is_left_so_and_does_not_cut_or_pad_texts() -> None:
    tokenizer = tokenizer_of("byte-level")
    tokenizer.backend_tokenizer.enable_truncation(4)
    tokenizer.backend_tokenizer.enable_padding(length=64)
    (tokenized,) = Windower(tokenizer, max_length=8, stride=0).tokenize(["one two three four five six"])
    assert 4 < len(tokenized.tokens) < 64
    assert len(tokenized.words) == 6


def test_a_short_text_is_one_window_and_an_empty_one_none() -> None:
    windower = windower_of("wordpiece", 512, 64)
    short, empty = windower.tokenize(["EGFR binds.", "  "])
    assert len(windower.windows(short)) == 1
    assert windower.windows(empty) == []
    assert windower.tokenize([]) == []


def test_neighbouring_windows_share_about_the_stride() -> None:
    windower = windower_of("wordpiece", 102, 20)
    tokenized = windower.tokenize(["gout " * 500])[0]
    windows = windower.windows(tokenized)
    shared = [first.end - second.start for first, second in pairwise(windows)]
    assert set(shared) == {20}


@pytest.mark.parametrize(("max_length", "stride"), [(2, 0), (10, 8), (10, -1)])
def test_windows_without_room_are_refused(max_length: int, stride: int) -> None:
    with pytest.raises(ConfigError, match="stride"):
        windower_of("wordpiece", max_length, stride)
