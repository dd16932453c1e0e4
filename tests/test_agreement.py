from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.agreement import Agreement
from kazu_distill.documents import Span

GENE, DISEASE = Span(0, 4, "gene"), Span(5, 9, "disease")

spans = st.builds(
    lambda start, length, label: Span(start, start + length, label),
    st.integers(0, 4),
    st.integers(1, 2),
    st.sampled_from(["gene", "disease"]),
)
opinions = st.lists(st.lists(spans, max_size=4).map(tuple), min_size=2, max_size=2)  # of two sections
documents = st.dictionaries(st.sampled_from("abc"), opinions)


def test_agreement_is_f1_per_class_and_over_all_spans() -> None:
    agreement = Agreement()
    agreement.add({"b": [[GENE]], "a": [[GENE, DISEASE, replace(GENE, start=1)]]})
    agreement.add({"a": [[DISEASE]], "b": [[replace(DISEASE, end=10)]]})
    assert agreement.as_records() == [
        {
            "voters": ["a", "b"],
            "documents": 2,
            "f1": pytest.approx(2 * 1 / (4 + 2)),
            "f1_per_class": {"disease": 0.0, "gene": pytest.approx(2 * 1 / (2 + 1))},
        }
    ]


def test_score_and_source_make_no_difference_but_section_and_class_do() -> None:
    agreement = Agreement()
    agreement.add({"a": [[GENE], []], "b": [[replace(GENE, score=0.5, source="b")], []]})
    agreement.add({"a": [[GENE], []], "b": [[], [GENE]]})
    agreement.add({"a": [[GENE], []], "b": [[replace(GENE, label="disease")], []]})
    (record,) = agreement.as_records()
    assert record["f1_per_class"] == {"disease": 0.0, "gene": pytest.approx(2 * 1 / (3 + 2))}


def test_two_voters_are_compared_where_both_spoke() -> None:
    agreement = Agreement()
    agreement.add({"a": [[GENE]], "b": [[GENE]], "c": [[]]})
    agreement.add({"a": [[DISEASE]], "c": [[DISEASE]]})
    agreement.add({"b": [[DISEASE]]})
    assert [(record["voters"], record["documents"], record["f1"]) for record in agreement.as_records()] == [
        (["a", "b"], 1, 1.0),
        (["a", "c"], 2, pytest.approx(2 / 3)),
        (["b", "c"], 1, 0.0),
    ]


def test_voters_who_found_nothing_have_no_figure() -> None:
    agreement = Agreement()
    agreement.add({"a": [[]], "b": [[]]})
    assert agreement.as_records() == [{"voters": ["a", "b"], "documents": 1, "f1": None, "f1_per_class": {}}]


@given(st.lists(documents))
def test_agreement_is_the_same_whichever_voter_is_gold(seen: list[dict[str, list[tuple[Span, ...]]]]) -> None:
    agreement = Agreement()
    for document in seen:
        agreement.add(document)
    for record in agreement.as_records():
        one, other = (
            {
                (number, part, span.start, span.end, span.label)
                for number, document in enumerate(seen)
                if set(record["voters"]) <= document.keys()
                for part, section in enumerate(document[voter])
                for span in section
            }
            for voter in record["voters"]
        )
        if not one | other:
            assert record["f1"] is None
            continue
        # F1 by the book, from precision and recall, with each of the two as gold.
        for gold, predicted in ((one, other), (other, one)):
            precision = len(gold & predicted) / len(predicted) if predicted else 0.0
            recall = len(gold & predicted) / len(gold) if gold else 0.0
            expected = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            assert record["f1"] == pytest.approx(expected)
