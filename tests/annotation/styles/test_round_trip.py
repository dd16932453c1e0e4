"""What a style writes, it reads again, for any text, spans and class names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kazu_distill.annotation.grounding.grounder import Grounder, Status
from kazu_distill.annotation.styles.guidelines import Guidelines
from kazu_distill.annotation.styles.inline_tags import InlineTags
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.annotation.styles.one_class import OneClass
from kazu_distill.annotation.styles.style import CannotExpress, Style, spans_of
from kazu_distill.annotation.styles.token_lines import TokenLines
from kazu_distill.documents import Span
from kazu_distill.schema import Schema
from tests.annotation.styles.labelled import NAMES, labelled, schemas, without_overlap_in_class

GROUNDER = Grounder(occurrences="listed", split_abbreviations=False)


def places(spans: list[Span]) -> set[tuple[int, int, str]]:
    return {span.place for span in spans}


def grounded(style: Style, answer: str, text: str, schema: Schema) -> set[tuple[int, int, str]]:
    parsed = style.parse(answer, text, schema)
    assert not parsed.faults
    assert parsed.damage is None
    grounding = GROUNDER.ground(text, parsed.mentions)
    assert not grounding.missing
    assert {span.status for span in grounding.spans} <= {Status.EXACT}
    return {(span.start, span.end, span.label) for span in grounding.spans}


def crosses(one: Span, other: Span) -> bool:
    return one.start < other.start < one.end < other.end


@given(schemas(), st.data())
def test_tags_give_back_every_span_that_crosses_none_of_its_class(schema: Schema, data: st.DataObject) -> None:
    text, spans = data.draw(labelled(schema))
    crossing = any(crosses(one, other) and one.label == other.label for one in spans for other in spans)
    if crossing:
        with pytest.raises(CannotExpress, match="cross"):
            InlineTags().render(text, spans, schema)
        return
    answer = InlineTags().render(text, spans, schema)
    assert grounded(InlineTags(), answer, text, schema) == places(spans)


@given(schemas(), st.data())
def test_token_lines_give_back_every_span_that_they_can_express(schema: Schema, data: st.DataObject) -> None:
    text, spans = data.draw(labelled(schema))
    visible = [span for span in spans if text[span.start : span.end] == text[span.start : span.end].strip()]
    kept = without_overlap_in_class(visible)
    if len(kept) < len(spans):
        with pytest.raises(CannotExpress, match=r"overlaps|white space"):
            TokenLines().render(text, spans, schema)
    if text.strip():
        answer = TokenLines().render(text, kept, schema)
        assert grounded(TokenLines(), answer, text, schema) == places(kept)


@pytest.mark.parametrize("style", [JsonList(), Guidelines()])
@given(schemas(), st.data())
def test_lists_give_back_the_mentions_in_order(style: Style, schema: Schema, data: st.DataObject) -> None:
    text, spans = data.draw(labelled(schema))
    parsed = style.parse(style.render(text, spans, schema), text, schema)
    expected = [(text[span.start : span.end], span.label) for span in spans_of(spans, schema)]
    assert [(each.text, each.label) for each in parsed.mentions] == [pair for pair in expected if pair[0].strip()]
    assert all(each.place is None for each in parsed.mentions)
    assert parsed.damage is None


@given(schemas(), st.data())
def test_a_class_a_question_gives_back_the_mentions_of_each(schema: Schema, data: st.DataObject) -> None:
    text, spans = data.draw(labelled(schema))
    for label in schema.labels:
        part = schema.only([label])
        parsed = OneClass().parse(OneClass().render(text, spans, part), text, part)
        expected = [text[span.start : span.end] for span in spans_of(spans, part)]
        assert [(each.text, each.label) for each in parsed.mentions] == [
            (each, label) for each in expected if each.strip()
        ]
        assert parsed.damage is None


WORDS = ["aspirin", "aspirins", "IL-2", "p53", "gout", "renal failure", "failure", "糖"]


@st.composite
def all_labelled(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text of words in which every occurrence of some is labelled."""
    words = draw(st.lists(st.sampled_from(WORDS), max_size=10))
    labels = {word: draw(st.sampled_from(["drug", "type: 2", None])) for word in WORDS}
    spans, text = [], ""
    for word in words:
        if label := labels[word]:
            spans.append(Span(len(text), len(text) + len(word), label))
        text += f"{word}, "
    return text, spans


@pytest.mark.parametrize("style", [JsonList(), Guidelines(), OneClass(), InlineTags(), TokenLines()])
@given(all_labelled())
def test_where_every_occurrence_is_labelled_every_style_gives_back_exactly_the_spans(
    style: Style, example: tuple[str, list[Span]]
) -> None:
    text, spans = example
    if not text:
        return
    schema = Schema(name="test", classes=dict.fromkeys(["drug", "type: 2"]))
    parts = [schema.only([label]) for label in schema.labels] if isinstance(style, OneClass) else [schema]
    nested = any(word in WORDS and text[span.end - 7 : span.end] == "failure" for span in spans for word in ["failure"])
    found = [each for part in parts for each in grounded(style, style.render(text, spans, part), text, part)]
    assert set(found) == places(spans) or (nested and isinstance(style, JsonList | Guidelines | OneClass))


@pytest.mark.parametrize("style", [JsonList(), Guidelines(), InlineTags(), TokenLines()])
@given(schemas())
@example(Schema(name="all", classes=dict.fromkeys(NAMES)))
def test_every_class_is_told_and_has_a_name_of_its_own(style: Style, schema: Schema) -> None:
    text = "x " * len(schema.labels)
    spans = [Span(2 * number, 2 * number + 1, label) for number, label in enumerate(schema.labels)]
    answer = style.render(text, spans, schema)
    assert [each.label for each in style.parse(answer, text, schema).mentions] == [*schema.labels]
    assert len(style.describe(schema).splitlines()) >= len(schema.labels)
