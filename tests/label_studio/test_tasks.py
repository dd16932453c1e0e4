from __future__ import annotations

from hypothesis import given

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.tasks import (
    FIELDS,
    annotation_of,
    is_a_section,
    is_ours,
    key_of,
    prediction_of,
    regions_of,
    task_of,
)
from tests.label_studio.examples import sections


@given(sections())
def test_a_region_stands_where_its_span_stands(section: Section) -> None:
    regions = regions_of(section)
    assert len(regions) == len(section.spans)
    for region, span in zip(regions, section.spans, strict=True):
        value = region["value"]
        assert value["text"] == section.text[value["start"] : value["end"]] == section.mention(span)
        assert (value["labels"], region["score"]) == ([span.label], span.score)


def test_spans_that_coincide_are_regions_with_ids_of_their_own() -> None:
    section = Section("title", "BRCA1", (Span(0, 5, "gene"), Span(0, 5, "disease"), Span(0, 5, "gene")))
    assert len({region["id"] for region in regions_of(section)}) == 3
    assert regions_of(section) == regions_of(section)


def test_sections_are_different_tasks_though_their_texts_are_the_same() -> None:
    document = Document("PMID:1", (Section("title", "Same."), Section("title", "Same.")))
    other = Document("PMID:2", document.sections)
    tasks = [task_of(document, 0), task_of(document, 1), task_of(other, 0)]
    assert len({key_of(task) for task in tasks}) == 3


def test_a_changed_text_is_another_task() -> None:
    before, after = (Document("PMID:1", (Section("title", text),)) for text in ("Old.", "New."))
    assert key_of(task_of(before, 0)) != key_of(task_of(after, 0))


def test_a_task_that_somebody_else_made_is_none_of_ours() -> None:
    assert is_a_section(task_of(Document("", (Section("", ""),)), 0))
    assert not is_a_section({"data": {"image": "cat.png"}})
    assert not is_a_section({"data": {"text": "theirs", "document": 7, "section": "s", "section_number": 0}})


def test_small_plain_metadata_go_along_and_source_is_a_field() -> None:
    metadata = {
        "source": "PubMed",
        "year": 2020,
        "ok": True,
        "long": "x" * 999,
        "authors": ["A"],
        "huge": 2**70,
        "": None,
    }
    data = task_of(Document("PMID:1", (Section("title", ""),), metadata), 0)["data"]
    assert data["source"] == "PubMed"
    assert data["metadata"] == {"year": 2020, "ok": True}
    many = {f"field {number}": number for number in range(99)}
    assert len(task_of(Document("PMID:1", (Section("title", ""),), many), 0)["data"]["metadata"]) == 20


def test_a_priority_is_a_field_only_where_there_is_one() -> None:
    document = Document("PMID:1", (Section("title", ""),))
    assert task_of(document, 0, priority=0.0)["data"]["priority"] == 0.0
    assert "priority" not in task_of(document, 0)["data"]
    assert set(task_of(document, 0, priority=0.0)["data"]) == set(FIELDS)


@given(sections())
def test_what_was_pushed_as_gold_is_known_again_until_somebody_touches_it(section: Section) -> None:
    pushed = annotation_of(section)
    assert pushed["ground_truth"]
    assert 0 <= pushed["import_id"] < 2**63
    assert is_ours(pushed)
    assert not is_ours({**pushed, "lead_time": 1.5})
    assert not is_ours({**pushed, "was_cancelled": True})
    assert not is_ours({**pushed, "import_id": None})
    more = [*pushed["result"], {"id": "x", "value": {"start": 0, "end": 1, "labels": ["gene"]}}]
    assert not is_ours({**pushed, "result": more})
    assert not section.spans or not is_ours({**pushed, "result": pushed["result"][1:]})


def test_a_relation_between_regions_is_a_change() -> None:
    pushed = annotation_of(Section("title", "BRCA1", (Span(0, 5, "gene"),)))
    assert not is_ours({**pushed, "result": [*pushed["result"], {"type": "relation", "from_id": "a", "to_id": "b"}]})


def test_a_prediction_has_the_mean_score_of_its_spans() -> None:
    section = Section("title", "BRCA1", (Span(0, 5, "gene", 0.5), Span(0, 5, "disease", 1.0)))
    assert prediction_of(section, model_version="gold")["score"] == 0.75
    assert prediction_of(Section("title", "BRCA1"), model_version="gold")["score"] is None
