"""Cleaning grounded spans."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from kazu_distill.annotation.cleaning.cleaner import Cleaned, Cleaner, Rule
from kazu_distill.annotation.cleaning.edges import trim_edges
from kazu_distill.annotation.cleaning.rules import (
    maximal_words,
    minimal_length,
    not_a_placeholder,
    not_a_sentence,
    not_a_stop_word,
    not_generic,
)
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Status
from kazu_distill.schema import Schema
from tests.stages import REPOSITORY

CONF = REPOSITORY / "conf"
SCHEMA = Schema(
    name="test",
    classes={
        "drug": {"stop_words": ["Therapy", "antibiotics"]},
        "cell type": {"stop_words": ["patients", "cells"]},
        "cancer": {"examples": ["melanoma", "cancer"]},
    },
)


def clean(text: str, *rules: Rule, label: str = "drug", spans: Sequence[tuple[int, int]] = ()) -> Cleaned:
    """What becomes of the spans (else of one over the whole text)."""
    grounded = [GroundedSpan(start, end, label, Status.EXACT) for start, end in spans or [(0, len(text))]]
    return Cleaner(schema=SCHEMA, rules=rules).clean(text, grounded)


def outcome(text: str, *rules: Rule, label: str = "drug") -> str:
    """The mention that is left of a text that is one mention, else the reason in brackets."""
    cleaned = clean(text, *rules, label=label)
    kept = [text[span.start : span.end] for span in cleaned.kept]
    return "".join(kept + [f"[{dropped.reason}]" for dropped in cleaned.dropped])


@pytest.mark.parametrize(
    ("mention", "trimmed"),
    [
        (" the  aspirin, ", "aspirin"),
        ('"aspirin"', "aspirin"),
        ("'aspirin'", "aspirin"),
        ("(aspirin", "aspirin"),
        ("aspirin).", "aspirin"),
        (") aspirin (", "aspirin"),
        ("aspirin) (ASA", "aspirin) (ASA"),
        ("iron (II)", "iron (II)"),
        ("(+)-catechin", "(+)-catechin"),
        ("[3H]thymidine", "[3H]thymidine"),
        ("Candida sp.", "Candida sp."),
        ("aspirin.", "aspirin"),
        ("poly(A)-5'", "poly(A)-5'"),
        ("A 23187", "A 23187"),
        ("an aspirin", "aspirin"),
        ("Ca2+", "Ca2+"),
        ("theophylline", "theophylline"),
        (".05 mg.", ".05 mg"),
        ("\u200baspirin\ufeff", "aspirin"),
        ('",."', "[nothing but punctuation]"),
    ],
)
def test_edges_are_trimmed(mention: str, trimmed: str) -> None:
    assert outcome(mention, trim_edges()) == trimmed


def test_articles_stay_if_told() -> None:
    assert outcome("the aspirin ", trim_edges(articles=False)) == "the aspirin"


def test_what_is_mended_is_told_with_what_it_was_and_what_is_around_it() -> None:
    (mended,) = clean("She took (aspirin daily.", trim_edges(), spans=[(9, 17)]).mended
    assert (mended.was, mended.mention, mended.rule) == ("(aspirin", "aspirin", "edges trimmed")
    assert mended.context == "She took ⟦(aspirin⟧ daily."
    assert not clean("aspirin", trim_edges()).mended


def test_what_is_dropped_in_the_end_was_not_mended() -> None:
    cleaned = clean("the x", trim_edges(), minimal_length(characters=2))
    assert ([dropped.mention for dropped in cleaned.dropped], cleaned.mended) == (["the x"], [])


def test_each_rule_says_why_it_drops() -> None:
    assert outcome("x", minimal_length(characters=2)) == "[too short]"
    assert outcome("a b c", maximal_words(words=2)) == "[too many words]"
    assert outcome("gave aspirin. Then it went", not_a_sentence()) == "[goes over a sentence's end]"
    assert outcome("therapy", not_a_stop_word()) == "[stop word]"
    assert outcome("Drugs", not_a_stop_word()) == "[the class's own name]"
    assert outcome("None", not_a_placeholder(placeholders=["none"])) == "[placeholder]"


def test_a_stop_word_of_one_class_stays_in_another() -> None:
    assert outcome("therapy", not_a_stop_word(), label="cell type") == "therapy"


@pytest.mark.parametrize("rule", [not_a_stop_word(), not_generic()])
def test_what_the_schema_gives_as_an_example_stays(rule: Rule) -> None:
    assert outcome("cancers", rule, label="cancer") == "cancers"


@pytest.mark.parametrize(
    ("mention", "label"),
    [
        ("the cells", "cell type"),
        ("these patients", "cell type"),
        ("many other cell types", "cell type"),
        ("12 patients", "cell type"),
        ("such therapies", "drug"),
        ("an antibiotic", "drug"),
        ("Some of the drugs", "drug"),
    ],
)
def test_general_words_go_whatever_chooses_or_counts_them(mention: str, label: str) -> None:
    assert outcome(mention, not_generic(), label=label) == "[general word]"


@pytest.mark.parametrize("mention", ["T cells", "cell surface", "cells of the liver", "NO", "ALL", "these"])
def test_words_that_name_something_stay(mention: str) -> None:
    assert outcome(mention, not_generic(), label="cell type") == mention


def test_initials_are_no_sentence_end() -> None:
    assert outcome("S. Typhimurium strain LT2", not_a_sentence()) == "S. Typhimurium strain LT2"


def test_spans_that_become_equal_are_kept_once() -> None:
    cleaned = clean("the gout", trim_edges(), spans=[(0, 8), (4, 8)])
    assert [(span.start, span.end) for span in cleaned.kept] == [(4, 8)]
    assert [(dropped.mention, dropped.reason) for dropped in cleaned.dropped] == [("gout", "duplicate")]


def test_of_nested_spans_of_a_class_the_longest_stays_or_all() -> None:
    text = "heart failure"
    cleaned = clean(text, spans=[(0, 13), (6, 13), (0, 5)])
    assert [(span.start, span.end) for span in cleaned.kept] == [(0, 13)]
    assert [dropped.reason for dropped in cleaned.dropped] == ["inside a span of its class"] * 2
    spans = [GroundedSpan(0, 13, "drug", Status.EXACT), GroundedSpan(0, 5, "drug", Status.EXACT)]
    assert Cleaner(schema=SCHEMA, rules=[], nested="all").clean(text, spans).kept == spans
    other = [spans[0], GroundedSpan(0, 5, "cell type", Status.EXACT)]
    assert Cleaner(schema=SCHEMA, rules=[]).clean(text, other).kept == other


TEXTS = st.text(st.one_of(st.sampled_from("()[]{}\"'.,5 aA"), st.characters()), max_size=40)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5))
def test_the_default_rules_keep_or_drop_every_span_of_any_text(text: str, edges: list[tuple[int, int]]) -> None:
    cleaner: Cleaner = instantiate(OmegaConf.load(CONF / "cleaning/default.yaml"), schema=SCHEMA)
    inside = {(min(pair), min(max(pair), len(text))) for pair in edges}
    spans = [GroundedSpan(start, end, "drug", Status.EXACT) for start, end in inside if start < end]
    cleaned = cleaner.clean(text, spans)
    assert len(cleaned.kept) + len(cleaned.dropped) == len(spans)
    assert {mended.span for mended in cleaned.mended} <= set(cleaned.kept)
    for span in cleaned.kept:
        mention = text[span.start : span.end]
        assert mention == mention.strip()
        assert mention[0] not in ")]}" + '"'
        assert mention[-1] not in "([{," + '"'
        for opening, closing in ("()", "[]", "{}"):
            assert mention[0] != opening or closing in mention
            assert mention[-1] != closing or opening in mention


def test_the_schema_of_kazu_has_all_its_stop_words() -> None:
    schema: Schema = instantiate(OmegaConf.load(CONF / "schema/kazu.yaml"))
    counts = {entity_class.name: len(entity_class.stop_words) for entity_class in schema.classes}
    # Counted in Kazu's configuration; its other classes have none.
    assert {name: count for name, count in counts.items() if count} == {
        "gene or gene product": 9, "method": 5, "protein domain or region": 9, "biological process": 5,
        "measurement": 2, "cell type": 10, "chemical": 6, "species": 2, "cellular component": 7,
        "disease, disorder, phenotype or trait": 2, "treatment": 9, "organization": 1, "mutation": 13,
    }  # fmt: skip
