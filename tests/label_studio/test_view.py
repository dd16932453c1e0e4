from __future__ import annotations

from xml.etree import ElementTree

import pytest
from label_studio_sdk.label_interface.interface import LabelInterface

from kazu_distill.documents import Section, Span
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.tasks import prediction_of, regions_of
from kazu_distill.label_studio.view import HOT_KEYS, classes_of, labelling_view, with_classes
from kazu_distill.schema import Schema
from tests.label_studio.examples import SCHEMA

PLAIN = Schema(name="plain", classes={"gene": {"definition": "A  gene\n or <protein> & so on"}, "disease": {}})


def labels_of(view: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(view).iter("Label"))


@pytest.mark.parametrize("number", [1, 18, 60])
def test_every_class_is_offered_in_order_with_a_colour_and_at_most_one_key(number: int) -> None:
    schema = Schema(name="many", classes={f"class {each}": {} for each in range(number)})
    labels = labels_of(labelling_view(schema))
    assert [label.get("value") for label in labels] == list(schema.labels)
    assert len({label.get("background") for label in labels}) == number
    keys = [label.get("hotkey") for label in labels if label.get("hotkey")]
    assert keys == list(HOT_KEYS[:number])


def test_hot_keys_are_unique_and_not_those_of_label_studio() -> None:
    assert len(set(HOT_KEYS)) == len(HOT_KEYS)
    assert HOT_KEYS.startswith("123456789")
    assert not set("uh") & set(HOT_KEYS)


def test_class_names_of_any_characters_are_read_back() -> None:
    assert classes_of(labelling_view(SCHEMA)) == set(SCHEMA.labels)
    assert any("$" in label for label in SCHEMA.labels)


def test_a_dollar_is_not_followed_by_a_word_where_label_studio_would_fill_it_in() -> None:
    (label,) = labels_of(labelling_view(Schema(name="odd", classes={"cost $text": {}})))
    assert label.attrib["alias"] == "cost $text"
    assert "$text" not in label.attrib["value"]


def test_a_definition_is_a_hint_of_one_line() -> None:
    gene, disease = labels_of(labelling_view(PLAIN))
    assert gene.get("hint") == "A gene or <protein> & so on"
    assert disease.get("hint") is None


def test_regions_name_the_control_and_the_text_of_the_view() -> None:
    view = ElementTree.fromstring(labelling_view(SCHEMA))
    (labels,), (text,) = view.iter("Labels"), view.iter("Text")
    (region,) = regions_of(Section("title", "BRCA1", (Span(0, 5, "gene"),)))
    assert region["from_name"] == labels.get("name")
    assert region["to_name"] == labels.get("toName") == text.get("name")


def test_the_sdk_finds_nothing_wrong_with_a_span_of_any_class() -> None:
    section = Section("", "BRCA1", tuple(Span(0, 5, label) for label in SCHEMA.labels))
    interface = LabelInterface(labelling_view(SCHEMA))
    prediction = prediction_of(section, model_version="any")
    assert interface.validate_prediction(prediction, return_errors=True) == []  # type: ignore[no-untyped-call]


def test_classes_that_a_view_lacks_are_added_and_what_people_made_of_it_stays() -> None:
    view = labelling_view(PLAIN).replace("<Filter", '<!-- ours --><Choices name="c" toName="text"/><Filter')
    grown = with_classes(view, SCHEMA)
    assert classes_of(grown) == {*SCHEMA.labels, *PLAIN.labels}
    assert "<!-- ours -->" in grown
    assert 'name="c"' in grown
    keys = [label.get("hotkey") for label in labels_of(grown) if label.get("hotkey")]
    assert len(set(keys)) == len(keys)
    assert with_classes(grown, SCHEMA) == grown


@pytest.mark.parametrize("change", [('name="label"', 'name="ner"'), ('<Text name="text"', '<Text name="body"')])
def test_a_view_without_our_names_is_an_error(change: tuple[str, str]) -> None:
    with pytest.raises(LabelStudioError, match=r"label_studio\.title"):
        with_classes(labelling_view(PLAIN).replace(*change), PLAIN)
