"""What a tokenizer cannot write is found, and once it is added every text comes back as it was."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, T5Config, T5Tokenizer

from kazu_distill.base_llm.vocabulary import add, missing
from tests.base_llm.tiny import llama_tokenizer, tiny_t5

TEXTS = [
    "Aspirin inhibits COX-1 in human platelets.",
    'Naloxone reverses clonidine: [("naloxone", "drug"), ("hypotension", "disease")]',
    "TGF-β binds its receptor at 5 °C, as é and ä do",
]
ANSWER = '[{"entity_match": "IFN-γ-induced", "entity_class": "gene"},\n {"entity_match": "ﬁbrin  x"}]'


def back(tokenizer: Any, text: str) -> str:
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    written: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return written


def t5(folder: Path) -> Any:
    """The tests' own: spaces are kept, line breaks become spaces."""
    return AutoTokenizer.from_pretrained(tiny_t5(folder, TEXTS * 20))


def t5_as_transformers_builds_it() -> Any:
    """T5's own class: words are split at white space, each begins with a space."""
    letters = sorted({*"".join(TEXTS), *"[]():,", "▁"} - {" "})
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -2.0) for letter in letters)]
    tokenizer: Any = T5Tokenizer([*vocabulary, ("▁in", -1.0), ("in", -1.0)], extra_ids=0)
    tokenizer.backend_tokenizer.normalizer = normalizers.NFKC()
    return tokenizer


def bytes_behind_letters() -> Any:
    """As Llama 2 and Gemma: pieces of SentencePiece, bytes for what is not among them."""
    letters = sorted({*"".join(TEXTS), "▁"} - {" "})
    vocabulary = {token: number for number, token in enumerate(["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))])}
    vocabulary |= {letter: len(vocabulary) + number for number, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")  # type: ignore[no-untyped-call]


def bytes_after_composing() -> Any:
    """As Qwen: every byte can be written, but accents are joined to their letters first."""
    tokenizer = llama_tokenizer(TEXTS)
    tokenizer.backend_tokenizer.normalizer = normalizers.NFC()
    return tokenizer


@pytest.fixture(scope="module", params=["tiny t5", "t5", "llama 2", "llama", "qwen"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = {
        "tiny t5": lambda: t5(tmp_path_factory.mktemp("t5")),
        "t5": t5_as_transformers_builds_it,
        "llama 2": bytes_behind_letters,
        "llama": lambda: llama_tokenizer(TEXTS),
        "qwen": bytes_after_composing,
    }
    return made[request.param]()


@given(
    st.lists(
        st.text(
            st.one_of(st.characters(codec="utf-8", exclude_characters="▁"), st.sampled_from(' \n{}"ae\u0301ᄀ\u1161ﬁβ'))
        ),
        max_size=3,
    )
)
@example([" a", "  a  b ", "{a} b}", "\n\n x\t"])
@example(["e\u0301\u0323e\u0323\u0301", "é\u0301", "\u1100\u1161\u11a8", "ﬁβ µ"])
@example(["", " ", "   "])
def test_texts_come_back_once_what_is_missing_is_added(tokenizer: Any, texts: list[str]) -> None:
    before = len(tokenizer)
    own = copy.deepcopy(tokenizer)
    lost = missing(own, texts)
    assert bool(lost) == any(back(own, text) != text for text in texts)
    assert len(own) == before
    new = add(own, lost)
    assert [back(own, text) for text in texts] == texts
    assert not missing(own, texts)
    assert len(own) == before + new
    assert new <= len(lost)


def test_nothing_is_missing_where_bytes_stand_in() -> None:
    for tokenizer in (llama_tokenizer(TEXTS), bytes_behind_letters()):
        assert not missing(tokenizer, [ANSWER, " \n β \U0001f600 "])


def test_each_piece_is_counted(tmp_path: Path) -> None:
    assert missing(t5(tmp_path), ["{a} {b}\nin", "Aspirin", " in"]) == Counter({"{": 2, "}": 2, "\n": 1, " ": 1})


@pytest.mark.parametrize("build", ["tiny t5", "t5"])
def test_what_was_added_is_still_there_after_saving(build: str, tmp_path: Path) -> None:
    tokenizer = t5(tmp_path / "model") if build == "tiny t5" else t5_as_transformers_builds_it()
    assert back(tokenizer, ANSWER) != ANSWER
    assert add(tokenizer, missing(tokenizer, [ANSWER])) >= 4
    tokenizer.save_pretrained(tmp_path / "saved")
    T5Config().save_pretrained(tmp_path / "saved")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert back(loaded, ANSWER) == ANSWER
    assert len(loaded) == len(tokenizer)
    assert loaded("in", add_special_tokens=True)["input_ids"][-1] == tokenizer.eos_token_id
    assert add(loaded, missing(loaded, [ANSWER])) == 0


def test_special_tokens_and_the_mark_of_a_space_stay_missing(tmp_path: Path) -> None:
    tokenizer = t5(tmp_path)
    texts = ["a</s>b{", "in▁in"]
    lost = missing(tokenizer, texts)
    assert lost == Counter({"</s>": 1, "{": 1, "▁": 1})
    add(tokenizer, lost)
    assert missing(tokenizer, texts) == Counter({"</s>": 1, "▁": 1})
    assert back(tokenizer, "a{b} in") == "a{b in"


def test_words_are_cut_as_before() -> None:
    tokenizer = t5_as_transformers_builds_it()
    before = tokenizer.tokenize("human in in vitro")
    add(tokenizer, ["{"])
    assert tokenizer.tokenize("human in in vitro")[1:] == before[2:]
