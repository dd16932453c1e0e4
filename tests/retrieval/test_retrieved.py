"""Examples for a text: never its own, always the same, and no more than fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.bm25 import BM25Index
from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.retrieval.shown import Example
from kazu_distill.retrieval.strategies.at_random import AtRandom
from kazu_distill.retrieval.strategies.diverse import Diverse
from kazu_distill.retrieval.strategies.fixed import Fixed
from kazu_distill.retrieval.strategies.gated import Gated
from kazu_distill.retrieval.strategies.most_similar import MostSimilar
from kazu_distill.retrieval.strategies.strategy import Strategy
from tests.retrieval.pools import WORDS, WordEncoder, examples_of, labelled, prose, written
from tests.retrieval.test_leaks import edited

TEXTS = [prose(seed, 150) for seed in range(30)]
POOL = [labelled(f"d{number}", text, {text.split()[0]: "drug"}) for number, text in enumerate(TEXTS)]


def strategies() -> dict[str, Strategy]:
    def nearest() -> MostSimilar:
        return MostSimilar(index=DenseIndex(encoder=WordEncoder()))

    return {
        "fixed": Fixed(),
        "random": AtRandom(),
        "nearest": nearest(),
        "bm25": MostSimilar(index=BM25Index(), above=0),
        "nearest_gated": Gated(strategy=nearest(), gate=BM25Index(), threshold=1.0),
        "diverse": Diverse(index=DenseIndex(encoder=WordEncoder())),
    }


def text_of(document: Document) -> str:
    return document.sections[0].text


@pytest.mark.parametrize("name", strategies())
def test_no_way_to_choose_shows_a_text_to_itself_or_to_what_is_nearly_the_same(name: str, tmp_path: Path) -> None:
    nearly = [labelled(f"near{number}", edited(text, 2, number)) for number, text in enumerate(TEXTS[:10])]
    examples = examples_of(tmp_path, *POOL, *nearly, strategy=strategies()[name], k=45, max_tokens=10**6)
    shown_at_all = 0
    for number, document in enumerate(POOL):
        shown = {example.document_id for example in examples.select(text_of(document), document)}
        assert f"d{number}" not in shown
        assert f"near{number}" not in shown
        renamed = labelled("renamed", text_of(document))
        assert shown == {example.document_id for example in examples.select(text_of(document), renamed)}
        shown_at_all += len(shown)
    assert shown_at_all >= 30 * 20
    figures = examples.figures()
    assert figures["queries"] == 60
    assert figures["shown"] == 2 * shown_at_all
    if name != "nearest_gated":
        assert figures["excluded_self"] == 60
        assert figures["excluded_near_duplicates"] == 20


@pytest.mark.parametrize("name", strategies())
def test_the_same_text_gets_the_same_examples_in_every_run_and_from_every_thread(name: str, tmp_path: Path) -> None:
    def run() -> RetrievedExamples:
        return examples_of(tmp_path, *POOL, strategy=strategies()[name], k=3)

    questions = [labelled(f"q{seed}", prose(1000 + seed, 40)) for seed in range(40)]
    first, second = run(), run()
    one_by_one = [first.select(text_of(question), question) for question in questions]
    with ThreadPoolExecutor(8) as threads:
        at_once = list(threads.map(lambda question: second.select(text_of(question), question), reversed(questions)))
    assert one_by_one == at_once[::-1]
    assert first.figures() == second.figures()


def test_the_most_similar_stands_last(tmp_path: Path) -> None:
    examples = examples_of(
        tmp_path,
        labelled("one", "alpha", {"alpha": "drug"}),
        labelled("two", "alpha beta"),
        labelled("three", "alpha beta gamma"),
        k=3,
    )
    question = labelled("q", "alpha beta gamma delta epsilon zeta eta theta")
    assert [example.document_id for example in examples.select(text_of(question), question)] == ["one", "two", "three"]


def test_nothing_that_passes_shows_nothing_and_is_counted(tmp_path: Path) -> None:
    examples = examples_of(tmp_path, *POOL)
    question = labelled("q", "quite other words")
    assert examples.select(text_of(question), question) == ()
    assert examples.figures()["queries_without_example"] == 1


def test_more_examples_than_there_are_shows_all(tmp_path: Path) -> None:
    examples = examples_of(tmp_path, *POOL, strategy=AtRandom(), k=1000, max_tokens=10**6)
    question = labelled("q", prose(77))
    assert {example.document_id for example in examples.select(text_of(question), question)} == {
        document.id for document in POOL
    }


def answers(example: Example) -> list[str]:
    return [f"{len(example.spans)} spans", "and a longer answer to another question"]


@settings(deadline=None, max_examples=30)
@given(lengths=st.lists(st.integers(1, 60), min_size=2, max_size=12), most=st.integers(20, 300))
def test_what_is_shown_fits_and_is_whole(
    lengths: list[int], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    documents = [labelled(f"d{n}", f"x{n} " + " ".join(WORDS[:1] * length)) for n, length in enumerate(lengths)]
    first = labelled("first", "y", {"y": "drug"})
    examples = examples_of(tmp_path_factory.mktemp("pool"), first, *documents, k=8, max_tokens=most)
    examples.prepare(answers)
    answer = max(map(estimate_tokens, answers(Example("", (), ""))))
    taken = {text_of(document): estimate_tokens(text_of(document)) + answer for document in documents}
    question = labelled("q", f"{WORDS[0]} zzz")
    shown = [example.text for example in examples.select(text_of(question), question)]
    assert sum(taken[text] for text in shown) <= most
    figures = examples.figures()
    fit_alone = sum(tokens <= most for tokens in taken.values())
    assert figures["pool"]["chunks_too_long"] == len(documents) - fit_alone
    assert len(shown) + figures["left_out_for_length"] == min(8, fit_alone)


def test_a_budget_that_nothing_fits_is_an_error_that_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"examples\.max_tokens=5: the shortest example takes \d+ with its answer"):
        examples_of(tmp_path, *POOL, max_tokens=5).prepare(answers)


def test_what_a_form_of_answer_cannot_express_is_not_shown(tmp_path: Path) -> None:
    def of_even(example: Example) -> list[str] | None:
        return None if int(example.document_id[1:]) % 2 else ["answer"]

    examples = examples_of(tmp_path, *POOL, strategy=AtRandom(), k=40, max_tokens=10**6)
    examples.prepare(of_even)
    question = labelled("q", prose(77))
    shown = examples.select(text_of(question), question)
    assert {example.document_id for example in shown} == {f"d{number}" for number in range(0, 30, 2)}
    assert examples.figures()["pool"]["chunks_not_expressible"] == 15
    with pytest.raises(ConfigError, match=r"prompt\.style can express the spans of none"):
        examples_of(tmp_path, *POOL).prepare(lambda example: None if example.text else [])


def test_chunks_of_long_documents_are_examples(tmp_path: Path) -> None:
    long = labelled("long", ". ".join(prose(seed, 30).capitalize() for seed in range(40)))
    examples = examples_of(tmp_path, long, labelled("b", "BRCA1", {"BRCA1": "gene"}), chunks=Chunker(tokens=100), k=1)
    question = labelled("q", f"{prose(5, 3)} and {prose(6, 3)}")
    (shown,) = examples.select(text_of(question), question)
    assert shown.document_id == "long"
    assert shown.text in text_of(long)
    assert len(shown.text) < len(text_of(long)) / 5


def test_the_report_says_what_the_pool_lacks(tmp_path: Path) -> None:
    held_out = str(written(tmp_path / "test.jsonl", POOL[3]))
    examples = examples_of(tmp_path, *POOL, not_from=[held_out])
    examples.prepare(answers)
    assert examples.figures()["excluded_evaluation"] == 1
    assert examples.figures()["pool"]["classes_without_example"] == ["disease", "gene"]
    assert examples.remarks() == [
        "examples: a pool of 29 chunks from 30 documents",
        "  left out of it: 1 chunks of the documents of examples.not_from",
        "  no example has a span of: disease, gene",
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"k": 0}, "examples.k=0: give a whole number above 0"),
        ({"k": 1.5}, "examples.k=1.5"),
        ({"max_tokens": 0}, "examples.max_tokens=0"),
        ({"min_score": "high"}, "examples.min_score=high: give a number"),
    ],
)
def test_a_setting_that_cannot_be_is_an_error(setting: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        examples_of(tmp_path, *POOL, **setting)
