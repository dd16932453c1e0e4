"""A split is seeded, stratified, exact in its sizes, and keeps near-duplicates together."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.documents import Document, Section, Span
from kazu_distill.shingles import SIMILAR
from kazu_distill.splitting.duplicates import folded_text, groups_of_near_duplicates
from kazu_distill.splitting.parts import SplitError, split_documents, split_like
from kazu_distill.splitting.stratify import Group, stratify
from kazu_distill.splitting.summary import summarise
from tests.shared_data import shared_data

SHARES = {"eval": 0.1, "test": 0.1}


def document(identifier: str, *labels: str, text: str | None = None) -> Document:
    spans = tuple(Span(0, 1, label) for label in labels)
    return Document(identifier, (Section("text", f"text of {identifier}" if text is None else text, spans),))


def ids(parts: dict[str, list[Document]]) -> dict[str, list[str]]:
    return {part: [each.id for each in inside] for part, inside in parts.items()}


def with_label(documents: list[Document], label: str) -> int:
    return sum(label in each.labels() for each in documents)


labelled = st.lists(st.sets(st.sampled_from("abcd")), min_size=10, max_size=60).map(
    lambda classes: [document(str(number), *sorted(own)) for number, own in enumerate(classes)]
)


@given(labelled, st.integers(0, 5), st.randoms())
def test_the_same_documents_and_seed_give_the_same_parts_in_any_order(
    documents: list[Document], seed: int, chance: random.Random
) -> None:
    parts = ids(split_documents(documents, shares=SHARES, seed=seed))
    again = ids(split_documents(documents, shares=SHARES, seed=seed))
    assert parts == again
    shuffled = documents.copy()
    chance.shuffle(shuffled)
    in_other_order = ids(split_documents(shuffled, shares=SHARES, seed=seed))
    assert {part: sorted(own) for part, own in parts.items()} == {
        part: sorted(own) for part, own in in_other_order.items()
    }


def test_the_seed_decides_and_a_split_stays_what_it_was() -> None:
    documents = [document(str(number)) for number in range(40)]
    splits = [ids(split_documents(documents, shares=SHARES, seed=seed)) for seed in range(5)]
    assert len({tuple(split["test"]) for split in splits}) == 5
    # Written down: a change of the algorithm would give everyone another test set under the same seed.
    assert splits[0]["test"] == ["6", "18", "21", "26"]


@given(labelled, st.integers(0, 5))
def test_every_document_is_in_one_part_and_the_sizes_are_exact(documents: list[Document], seed: int) -> None:
    parts = split_documents(documents, shares={"eval": 0.1, "test": 3}, seed=seed)
    assert list(parts) == ["train", "eval", "test"]
    assert Counter(each.id for part in parts.values() for each in part) == Counter(each.id for each in documents)
    assert len(parts["eval"]) == round(0.1 * len(documents))
    assert len(parts["test"]) == 3
    for part in parts.values():
        assert part == [each for each in documents if each in part], "a part keeps the order of the documents"


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_class_reaches_every_part(seed: int) -> None:
    documents = [document(str(number), "common") for number in range(90)]
    documents += [document(f"rare{number}", "common", "rare") for number in range(3)]
    documents += [document(f"rarer{number}", "rarer") for number in range(7)]
    for part in split_documents(documents, shares=SHARES, seed=seed).values():
        assert with_label(part, "rare") >= 1
        assert with_label(part, "rarer") >= 1


@pytest.mark.parametrize("seed", range(5))
def test_classes_are_spread_as_the_documents_are(seed: int) -> None:
    chance = random.Random(seed)
    rates = {"a": 0.9, "b": 0.5, "c": 0.1, "d": 0.03}
    documents = [
        document(str(number), *(label for label, rate in rates.items() if chance.random() < rate))
        for number in range(1000)
    ]
    parts = split_documents(documents, shares={"eval": 0.1, "test": 0.2}, seed=seed)
    for label in rates:
        total = with_label(documents, label)
        for part, share in {"train": 0.7, "eval": 0.1, "test": 0.2}.items():
            assert abs(with_label(parts[part], label) - share * total) <= 1.5


@st.composite
def groups(draw: st.DrawFn) -> Group:
    size = draw(st.integers(1, 4))
    return Group(size, {label: draw(st.integers(1, size)) for label in draw(st.sets(st.sampled_from("ab")))})


@given(st.lists(groups(), min_size=5, max_size=40))
def test_groups_move_a_part_from_its_size_by_less_than_a_group(given_groups: list[Group]) -> None:
    total = sum(group.documents for group in given_groups)
    sizes = {"train": total - 2 * (total // 5), "eval": total // 5, "test": total // 5}
    got: Counter[str] = Counter()
    for group, part in zip(given_groups, stratify(given_groups, sizes), strict=True):
        got[part] += group.documents
    largest = max(group.documents for group in given_groups)
    assert all(got[part] - size < largest for part, size in sizes.items())
    if sum(group.documents == 1 for group in given_groups) >= 3 * largest:
        assert got == Counter(sizes), "single documents fill what groups leave"


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), min_size=1, max_size=6).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=12))
def test_equal_texts_are_one_group_whatever_their_case_and_spacing(texts: list[str]) -> None:
    documents = [
        document(str(number), text=text if number % 2 else text.upper().replace(" ", "\n "))
        for number, text in enumerate(texts)
    ]
    grouped = groups_of_near_duplicates(documents)
    assert sorted(position for group in grouped for position in group) == list(range(len(texts)))
    group_of = {position: number for number, group in enumerate(grouped) for position in group}
    for one in range(len(texts)):
        for other in range(one):
            if folded_text(documents[one]) == folded_text(documents[other]):
                assert group_of[one] == group_of[other]


def slow_similarity(one: str, other: str) -> float:
    sets = [{tuple(words[at : at + 5]) for at in range(len(words) - 4)} for words in (one.split(), other.split())]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_near_duplicates_of_abstract_length_are_found_and_others_are_not(seed: int) -> None:
    chance = random.Random(seed)
    vocabulary = [f"word{number}" for number in range(300)]
    originals = [[chance.choice(vocabulary) for _ in range(250)] for _ in range(6)]
    texts = []
    for original in originals:
        edited = original.copy()
        for _ in range(chance.randrange(12)):
            edited[chance.randrange(250)] = "edited"
        texts += [" ".join(original), " ".join(edited)]
    documents = [document(str(number), text=text) for number, text in enumerate(texts)]
    pairs = {
        frozenset((2 * number, 2 * number + 1))
        for number in range(6)
        if slow_similarity(texts[2 * number], texts[2 * number + 1]) >= SIMILAR
    }
    assert {frozenset(group) for group in groups_of_near_duplicates(documents) if len(group) > 1} == pairs


def test_empty_texts_are_not_duplicates_of_each_other() -> None:
    assert groups_of_near_duplicates([document("a", text=""), document("b", text=" ")]) == [[0], [1]]


def test_near_duplicates_end_in_one_part_and_no_text_is_shared() -> None:
    documents = [document(str(number), text=f"text {number // 2}") for number in range(60)]
    parts = split_documents(documents, shares=SHARES, seed=0)
    assert {part: len(inside) for part, inside in parts.items()} == {"train": 48, "eval": 6, "test": 6}
    assert summarise(parts)["leakage"]["shared_texts"] == 0


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({"test": -0.1}, r"share of test is -0\.1; it cannot be negative"),
        ({"test": float("nan")}, "share of test is nan"),
        ({"test": 0}, "part test would be empty: 10 documents with shares of test: 0"),
        ({"test": 0.01}, "part test would be empty"),
        ({"test": 1.5}, r"share of test is 1\.5; write a fraction below 1, or a whole number"),
        ({"eval": 5, "test": 5}, "part train would be empty"),
        ({"eval": 0.6, "test": 0.6}, "part train would be empty"),
        ({"train": 0.8}, "train gets the documents that are left"),
    ],
)
def test_shares_that_cannot_be_met_are_errors(shares: dict[str, float], reason: str) -> None:
    with pytest.raises(SplitError, match=reason):
        split_documents([document(str(number)) for number in range(10)], shares=shares, seed=0)


def test_no_documents_repeated_ids_and_nothing_but_one_text_are_errors() -> None:
    with pytest.raises(SplitError, match="no documents"):
        split_documents([], shares=SHARES, seed=0)
    with pytest.raises(SplitError, match='"a" comes 2 times'):
        split_documents([document("a"), document("a")], shares={"test": 1}, seed=0)
    with pytest.raises(SplitError, match="4 documents are only 1 different texts"):
        split_documents([document(name, text="same") for name in "abcd"], shares={"test": 2}, seed=0)


def test_an_earlier_split_is_followed() -> None:
    documents = [document(name) for name in "cab"]
    parts = split_like(documents, {"train": ["a", "b"], "test": ["c"]})
    assert ids(parts) == {"train": ["a", "b"], "test": ["c"]}


@pytest.mark.parametrize(
    ("earlier", "reason"),
    [
        ({"train": ["a"], "test": []}, 'document "b" is not in the earlier split'),
        (
            {"train": ["a", "b"], "test": ["c"]},
            r'document "c" of the earlier split \(test\) is not among the documents',
        ),
        ({"train": ["a", "b"], "test": ["a"]}, r'document "a" is in the earlier split twice \(train, test\)'),
    ],
)
def test_an_earlier_split_of_other_documents_is_an_error(earlier: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(SplitError, match=reason):
        split_like([document("a"), document("b")], earlier)


def test_the_summary_counts_documents_spans_and_leaks_and_goes_into_json() -> None:
    def gene(identifier: str, mention: str) -> Document:
        return Document(identifier, (Section("t", mention, (Span(0, len(mention), "gene"),)),))

    summary = summarise(
        {"train": [gene("1", "EGFR"), gene("2", "KRAS")], "test": [gene("3", "egfr"), gene("4", "p53")]}
    )
    assert summary == {
        "parts": {
            "train": {"documents": 2, "spans": 2, "documents_by_class": {"gene": 2}, "spans_by_class": {"gene": 2}},
            "test": {"documents": 2, "spans": 2, "documents_by_class": {"gene": 2}, "spans_by_class": {"gene": 2}},
        },
        "leakage": {"shared_texts": 1, "mentions_seen_in_train": {"test": 0.5}},
    }
    assert json.loads(json.dumps(summary)) == summary


def test_every_class_of_the_cancer_genetics_corpus_reaches_every_part() -> None:
    documents = list(Corpus(reader=read_brat, path=shared_data("bionlp13cg")))
    parts = split_documents(documents, shares=SHARES, seed=13)
    summary = summarise(parts)
    assert {part: len(inside) for part, inside in parts.items()} == {"train": 480, "eval": 60, "test": 60}
    for counts in summary["parts"].values():
        assert len(counts["spans_by_class"]) == 16
        assert min(counts["spans_by_class"].values()) >= 1
    assert summary["leakage"]["shared_texts"] == 0
