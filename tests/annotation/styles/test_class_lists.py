import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.annotation.parsing.answer import Mention, UnreadableAnswer
from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from tests.instruction.hostile import documents, schemas

SCHEMA = Schema(name="test", classes={"gene, protein": {}, "drug": {"definition": "A drug."}}, ignored=["other"])
TEXT = "1,2-dichloroethane binds EGFR."
SPANS = (Span(25, 29, "gene, protein"), Span(0, 18, "drug"))


def test_the_full_form_has_every_class_and_the_short_one_those_that_occur() -> None:
    assert json.loads(ClassLists().render(TEXT, SPANS[1:], SCHEMA)) == {
        "gene, protein": [],
        "drug": ["1,2-dichloroethane"],
    }
    assert json.loads(ClassLists(form="short").render(TEXT, SPANS[1:], SCHEMA)) == {"drug": ["1,2-dichloroethane"]}
    assert ClassLists(form="short").render(TEXT, (), SCHEMA) == "{}"
    with pytest.raises(ConfigError, match="form=long"):
        ClassLists(form="long")


@given(st.data(), st.sampled_from(["full", "short"]))
def test_what_is_written_is_read_again(data: st.DataObject, form: str) -> None:
    schema = data.draw(schemas())
    style = ClassLists(form=form)
    for section in data.draw(documents(schema)).sections:
        spans = sorted(section.spans, key=lambda span: (span.start, -span.end, span.label))
        parsed = style.parse(style.render(section.text, section.spans, schema), section.text, schema)
        wanted: dict[str, list[str]] = defaultdict(list)
        for span in spans:
            wanted[span.label].append(section.text[span.start : span.end])
        found: dict[str, list[str]] = defaultdict(list)
        for mention in parsed.mentions:
            found[mention.label].append(mention.text)
        assert (found, parsed.faults, parsed.damage) == (wanted, (), None)


def test_an_answer_that_is_not_quite_in_the_form_is_read_as_far_as_it_can_be() -> None:
    style = ClassLists()
    fenced = style.parse('```json\n{"Drug": ["aspirin"], "gene, protein": []}\n```', TEXT, SCHEMA)
    assert fenced.mentions == (Mention("aspirin", "drug"),)
    listed = style.parse('{"entities": [{"entity_match": "EGFR", "entity_class": "gene, protein"}]}', TEXT, SCHEMA)
    assert listed.mentions == (Mention("EGFR", "gene, protein"),)
    unknown = style.parse('{"drug": ["aspirin"], "disease": ["gout"]}', TEXT, SCHEMA)
    assert (len(unknown.mentions), [fault.kind for fault in unknown.faults]) == (1, ["class not in the schema"])
    twice = style.parse('{"drug": ["aspirin"], "drug": ["ibuprofen"]}', TEXT, SCHEMA)
    assert [mention.text for mention in twice.mentions] == ["aspirin", "ibuprofen"]
    with pytest.raises(UnreadableAnswer):
        style.parse("There are none.", TEXT, SCHEMA)


def test_the_answer_schema_allows_the_classes_alone_and_requires_them_in_the_full_form() -> None:
    full = ClassLists().answer_schema(SCHEMA)
    assert list(full["properties"]) == full["required"] == ["gene, protein", "drug"]
    assert full["additionalProperties"] is False
    assert ClassLists(form="short").answer_schema(SCHEMA)["required"] == []
    assert '- "drug": A drug.' in ClassLists().describe(SCHEMA)
