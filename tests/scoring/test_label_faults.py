"""Faults of labels are said of strings, and gold has a word in what is a conflict."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from kazu_distill.documents import NOT_IN_TEXT, Document, Section, Span
from kazu_distill.scoring.label_faults import Conflict, LabelFaults, NotInText, label_faults
from kazu_distill.scoring.mistakes import analyse
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.report.labels_view import conflict_rows, missing_rows
from tests.scoring.labelled import LABELS, TEXT, places, sides

PHRASE = "Gout, gout and GOUT: STRASSE or straße."


def document(*spans: tuple[str, str], text: str = PHRASE) -> Document:
    """A document with entities at the first places of these mentions."""
    found = [Span(text.index(each), text.index(each) + len(each), label) for each, label in spans]
    return Document("d", (Section("", text, tuple(found)),))


def test_a_string_with_several_classes_is_a_conflict_case_aside() -> None:
    gold = document(("Gout", "disease"), ("STRASSE", "place"), ("straße", "drug"))
    predicted = document(
        ("Gout", "disease"), ("gout", "drug"), ("GOUT", "disease"), ("STRASSE", "place"), ("straße", "drug")
    )
    assert label_faults([(gold, predicted)]).conflicts == [
        Conflict("d", "Gout", {"disease": 2, "drug": 1}, in_gold=False),
        Conflict("d", "STRASSE", {"drug": 1, "place": 1}, in_gold=True),
    ]


def test_the_same_place_with_two_classes_is_one_too_and_other_documents_are_not() -> None:
    twice = document(("Gout", "disease"), ("Gout", "drug"), ("Gout", "disease"))
    (conflict,) = label_faults([(twice.without_spans(), twice)]).conflicts
    assert conflict.classes == {"disease": 1, "drug": 1}
    one, other = document(("Gout", "disease")), replace(document(("Gout", "drug")), id="e")
    assert label_faults([(one, one), (other, other)]).conflicts == []


@given(sides(places()))
def test_conflicts_are_the_slow_ones(both: tuple[list[Document], list[Document]]) -> None:
    found = {(each.document, each.mention) for each in label_faults(paired(*both)).conflicts}
    expected = set()
    for each in both[1]:
        spans = [(section.mention(span), span.label) for section, span in each.spans]
        expected |= {(each.id, one) for one, label in spans for two, other in spans if one == two and label != other}
    assert found == expected, "mentions of the text are in one case"
    assert TEXT.islower()


@given(sides(places()))
def test_every_entity_still_has_one_kind_of_mistake(both: tuple[list[Document], list[Document]]) -> None:
    pairs = paired(*both)
    lines = [mistake.as_json()["kind"] for mistake in analyse(pairs, LABELS).mistakes]
    assert not {"conflicting", "not in the text"} & set(lines)
    assert {record["kind"] for record in label_faults(pairs).records} <= {"conflicting"}


def test_mentions_without_a_place_are_counted_and_kept_as_examples() -> None:
    noted = {"per_class": {"drug": 3}, "mentions": [{"text": "aspirn", "label": "drug", "voter": "llm"}]}
    faults = label_faults([(document(), replace(document(), metadata={NOT_IN_TEXT: noted}))])
    assert faults.examples == [NotInText("d", "aspirn", "drug", "llm")]
    assert faults.as_json()["label_faults"]["not in the text"] == {
        "mentions": 3, "documents": 1, "per_class": {"drug": 3},
    }  # fmt: skip
    assert faults.records == [
        {"document": "d", "kind": "not in the text", "text": "aspirn", "label": "drug", "voter": "llm"}
    ]
    assert faults.sentence() == "mentions not in the text 3"


@pytest.mark.parametrize("noted", [None, 3, [], {}, {"per_class": 1}, {"per_class": {"x": "many"}, "mentions": 1}])
def test_metadata_of_that_name_that_is_somebody_elses_is_left_alone(noted: Any) -> None:
    faults = label_faults([(document(), replace(document(), metadata={NOT_IN_TEXT: noted}))])
    assert (faults.not_in_text.total(), faults.records) == (0, [])


def test_nothing_to_say_is_nothing_said() -> None:
    assert label_faults([(document(), document())]).sentence() == ""
    assert isinstance(label_faults([]), LabelFaults)


def test_the_page_shows_the_most_frequent_strings_first() -> None:
    conflicts = [Conflict(str(number), "gout", {"x": 1, "y": 1}, in_gold=number == 0) for number in range(2)]
    conflicts.insert(0, Conflict("0", "rare", {"x": 1, "y": 1}, in_gold=False))
    missing = [NotInText("a", "none", "x", "llm"), NotInText("b", "No", "x", "llm"), NotInText("c", "NONE", "x", "llm")]
    faults = LabelFaults(conflicts, Counter({"x": 9}), 3, missing)
    (row,) = conflict_rows(faults)
    assert (row.classes, row.strings, row.in_gold) == (("x", "y"), 3, 1)
    assert [(each.mention, times) for each, times in row.frequent] == [("gout", 2), ("rare", 1)]
    (own,) = missing_rows(faults)
    assert (own.label, own.count) == ("x", 9)
    assert [(each.mention, times) for each, times in own.frequent] == [("none", 2), ("No", 1)]
