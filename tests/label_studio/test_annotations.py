from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kazu_distill.documents import Section, Span
from kazu_distill.label_studio.annotations import TaskRead, read_task, spans_of
from kazu_distill.label_studio.tasks import annotation_of, regions_of
from tests.label_studio.examples import SCHEMA, sections

TEXT = "🧬 BRCA1\r\nin cancer"
PEOPLE = {1: "ada@example.org", 2: "bob@example.org"}


def region(start: Any, end: Any, *labels: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": start, "end": end, "labels": list(labels)}} | fields


def annotation(number: int, *regions: Any, by: int | None = 1, hour: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "completed_by": by,
        "was_cancelled": False,
        "ground_truth": False,
        "updated_at": f"2026-11-21T{hour:02}:00:00Z",
        "lead_time": 2.5,
        "import_id": None,
        "parent_prediction": None,
        "result": list(regions),
    } | fields


def read(*annotations: dict[str, Any], **options: Any) -> TaskRead:
    data = {"document": "PMID:1", "section": "title", "section_number": 0, "text": TEXT}
    record = {"id": 7, "data": data, "annotations": list(annotations)}
    task = read_task(record, labels=SCHEMA.labels, people=PEOPLE, versions={5: "llm"}, **options)
    assert task
    return task


@given(sections())
def test_regions_of_spans_are_read_as_these_spans(section: Section) -> None:
    spans, left_out = spans_of(regions_of(section), section.text, labels=SCHEMA.labels, source="ada")
    assert [span.place for span in spans] == list(dict.fromkeys(span.place for span in section.spans))
    assert left_out.total() == len(section.spans) - len(spans)
    assert all((span.score, span.source) == (1.0, "ada") for span in spans)


def test_a_region_of_several_classes_is_a_span_of_each() -> None:
    spans, _ = spans_of([region(2, 7, "gene", "disease")], TEXT, labels=SCHEMA.labels, source="")
    assert spans == (Span(2, 7, "gene"), Span(2, 7, "disease"))


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        (region(2, 7, "planet"), 'the class "planet" is not in the schema'),
        (region(2, 7), "a region without a class"),
        (region(2, 7, None, 3), "a region without a class"),
        (region(2, 99, "gene"), "a region outside the text"),
        (region(7, 2, "gene"), "a region outside the text"),
        (region(-1, 2, "gene"), "a region outside the text"),
        (region("2", 7, "gene"), "a region without a place"),
        (region(True, 7, "gene"), "a region without a place"),
        ({"type": "labels", "value": None}, "a region without a place"),
        ({"type": "labels", "value": {"start": 2, "end": 7, "text": "cancer"}}, "a region whose words stand elsewhere"),
        ({"type": "choices", "value": {"choices": ["good"]}}, "a region of another kind (choices)"),
        ({"type": "relation", "from_id": "a", "to_id": "b"}, "a relation"),
        (None, "a region of another kind (None)"),
    ],
)
def test_what_is_no_span_of_ours_is_counted_by_its_reason_and_the_others_stay(strange: Any, reason: str) -> None:
    result = [region(2, 7, "gene"), strange, region(12, 18, "disease")]
    spans, left_out = spans_of(result, TEXT, labels=SCHEMA.labels, source="")
    assert [span.place for span in spans] == [(2, 7, "gene"), (12, 18, "disease")]
    assert left_out == {reason: 1}


def test_line_ends_that_a_browser_writes_otherwise_are_no_difference() -> None:
    drawn = region(2, 11, "gene")
    drawn["value"]["text"] = "BRCA1\\n\\nin"
    spans, left_out = spans_of([drawn], TEXT, labels=SCHEMA.labels, source="")
    assert (len(spans), left_out) == (1, {})


@pytest.mark.parametrize("result", [None, "[]", {}])
def test_an_annotation_that_is_no_list_has_no_spans(result: Any) -> None:
    assert spans_of(result, TEXT, labels=SCHEMA.labels, source="") == ((), {})


def test_opinions_stand_in_the_order_in_which_they_were_given() -> None:
    task = read(annotation(1, hour=3), annotation(2, by=2, hour=1), annotation(3, hour=1))
    assert [opinion.annotation for opinion in task.opinions] == [2, 3, 1]


def test_an_opinion_says_who_when_how_long_and_from_what() -> None:
    (opinion,) = read(annotation(1, region(2, 7, "gene"), parent_prediction=5)).opinions
    assert (opinion.annotator, opinion.seconds, opinion.model_version) == ("ada@example.org", 2.5, "llm")
    assert opinion.at.isoformat() == "2026-11-21T00:00:00+00:00"
    assert opinion.spans == (Span(2, 7, "gene", 1.0, "ada@example.org"),)


def test_nothing_marked_is_an_opinion_and_skipped_is_none() -> None:
    task = read(annotation(1, by=2), annotation(2, was_cancelled=True))
    assert [opinion.spans for opinion in task.opinions] == [()]
    assert task.skipped_by == ("ada@example.org",)


def test_people_whom_nobody_knows_have_names_all_the_same() -> None:
    task = read(annotation(1, by=99), annotation(2, by=None))
    assert [opinion.annotator for opinion in task.opinions] == ["user 99", "a user who is gone"]


def test_ground_truth_that_was_pushed_is_no_opinion_unless_asked_for_or_touched() -> None:
    ours = annotation_of(Section("title", TEXT, (Span(2, 7, "gene"),)))
    pushed = annotation(1, *ours["result"], ground_truth=True, import_id=ours["import_id"], lead_time=None)
    assert (read(pushed).opinions, read(pushed).pushed) == ((), 1)
    assert len(read(pushed, with_pushed=True).opinions) == 1
    assert len(read(pushed | {"lead_time": 3.0}).opinions) == 1
    assert len(read(pushed | {"result": []}).opinions) == 1
    assert len(read(annotation(1, ground_truth=True)).opinions) == 1


@pytest.mark.parametrize(
    "data", [{"image": "cat.png"}, {"document": 7, "section_number": 0, "text": ""}, {"document": "", "text": "a"}]
)
def test_a_task_that_somebody_else_made_is_none_of_ours(data: dict[str, Any]) -> None:
    assert read_task({"id": 1, "data": data, "annotations": []}, labels=(), people={}, versions={}) is None
