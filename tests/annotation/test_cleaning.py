from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from kazu_distill.annotation.cleaning import (
    Cleaner,
    Rule,
    maximal_words,
    minimal_length,
    not_a_placeholder,
    not_a_sentence,
    not_a_stop_word,
    trim_edges,
)
from kazu_distill.annotation.grounding import GroundedSpan, Status
from kazu_distill.schema import Schema

SCHEMA = Schema(name="test", classes={"drug": {"stop_words": ["Therapy"]}, "cell type": {}})


def clean(
    text: str, *rules: Rule, label: str = "drug", spans: Sequence[tuple[int, int]] = ()
) -> tuple[list[str], list[str]]:
    """What stays of the spans (else of one over the whole text), and the reasons of what does not."""
    cleaner = Cleaner(schema=SCHEMA, rules=rules)
    grounded = [GroundedSpan(start, end, label, Status.EXACT) for start, end in spans or [(0, len(text))]]
    kept, dropped = cleaner.clean(text, grounded)
    return [text[span.start : span.end] for span in kept], [span.reason for span in dropped]


@pytest.mark.parametrize(
    ("mention", "trimmed"),
    [
        (" the  aspirin, ", "aspirin"),
        ('"aspirin"', "aspirin"),
        ("(aspirin", "aspirin"),
        ("aspirin).", "aspirin"),
        ("iron (II)", "iron (II)"),
        ("Candida sp.", "Candida sp."),
        ("aspirin.", "aspirin"),
        ("poly(A)-5'", "poly(A)-5'"),
        ("A 23187", "A 23187"),
        ("an aspirin", "aspirin"),
        ("Ca2+", "Ca2+"),
        ("theophylline", "theophylline"),
    ],
)
def test_edges_are_trimmed(mention: str, trimmed: str) -> None:
    assert clean(mention, trim_edges()) == ([trimmed], [])


def test_what_is_only_punctuation_goes() -> None:
    assert clean('",."', trim_edges()) == ([], ["nothing but punctuation"])


def test_each_rule_says_why_it_drops() -> None:
    assert clean("x", minimal_length(characters=2)) == ([], ["too short"])
    assert clean("a b c", maximal_words(words=2)) == ([], ["too many words"])
    assert clean("gave aspirin. Then it went", not_a_sentence()) == ([], ["goes over a sentence's end"])
    assert clean("therapy", not_a_stop_word()) == ([], ["stop word"])
    assert clean("Drugs", not_a_stop_word()) == ([], ["the class's own name"])
    assert clean("None", not_a_placeholder(placeholders=["none"])) == ([], ["placeholder"])


def test_a_stop_word_of_one_class_stays_in_another() -> None:
    assert clean("therapy", not_a_stop_word(), label="cell type") == (["therapy"], [])


def test_initials_are_no_sentence_end() -> None:
    assert clean("S. Typhimurium strain LT2", not_a_sentence()) == (["S. Typhimurium strain LT2"], [])


def test_spans_that_become_equal_are_kept_once() -> None:
    assert clean("the gout", trim_edges(), spans=[(0, 8), (4, 8)]) == (["gout"], ["duplicate"])


def test_of_nested_spans_of_a_class_the_longest_stays_or_all() -> None:
    text = "heart failure"
    assert clean(text, spans=[(0, 13), (6, 13), (0, 5)]) == ([text], ["inside a span of its class"] * 2)
    spans = [GroundedSpan(0, 13, "drug", Status.EXACT), GroundedSpan(0, 5, "drug", Status.EXACT)]
    assert Cleaner(schema=SCHEMA, rules=[], nested="all").clean(text, spans)[0] == spans
    other = [spans[0], GroundedSpan(0, 5, "cell type", Status.EXACT)]
    assert Cleaner(schema=SCHEMA, rules=[]).clean(text, other)[0] == other


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5))
def test_the_default_rules_keep_or_drop_every_span_of_any_text(text: str, edges: list[tuple[int, int]]) -> None:
    config = OmegaConf.load(Path(__file__).parents[2] / "conf/cleaning/default.yaml")
    cleaner: Cleaner = instantiate(config, schema=SCHEMA)
    inside = {(min(pair), min(max(pair), len(text))) for pair in edges}
    spans = [GroundedSpan(start, end, "drug", Status.EXACT) for start, end in inside if start < end]
    kept, dropped = cleaner.clean(text, spans)
    assert len(kept) + len(dropped) == len(spans)
    assert all(text[span.start : span.end].strip() for span in kept)
