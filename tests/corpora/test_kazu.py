"""Kazu's JSON is read and written as Kazu 2.4 does; its ``from_json`` and ``to_json`` are the reference."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.kazu import kazu_document, read_kazu
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError

WRITTEN_BY_KAZU = (
    '{"idx": "x", "sections": [{"text": "EGFR gene", "name": "a", "entities": [{"match": "EGFR", '
    '"entity_class": "gene", "spans": [{"start": 0, "end": 4}], "namespace": "t", "start": 0, "end": 4, '
    '"match_norm": "EGFR"}]}]}'
)


def entity(match: str, *spans: tuple[int, int]) -> dict[str, Any]:
    places = [{"start": start, "end": end} for start, end in spans]
    return {"match": match, "entity_class": "disease", "spans": places, "namespace": "t"}


def write(path: Path, *entities: Any, text: str = "lung and breast cancer") -> Path:
    section = {"text": text, "name": "abstract", "entities": list(entities)}
    path.write_text(json.dumps({"idx": path.stem, "sections": [section], "metadata": {"year": 2020}}))
    return path


def test_what_kazu_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(WRITTEN_BY_KAZU)
    (document,) = Corpus(reader=read_kazu, path=tmp_path)
    assert document == Document("x", (Section("a", "EGFR gene", (Span(0, 4, "gene", source="t"),)),))


def test_a_file_is_a_document_and_so_is_each_line_of_a_jsonl_file(tmp_path: Path) -> None:
    write(tmp_path / "b.json")
    lines = [json.dumps({"idx": name, "sections": []}) for name in ("c", "d")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert [document.id for document in Corpus(reader=read_kazu, path=tmp_path)] == ["c", "d", "b"]


@pytest.mark.parametrize(("policy", "places"), [("envelope", [(0, 22)]), ("first", [(0, 4)]), ("drop", [])])
def test_an_entity_with_several_spans_follows_the_policy_and_is_counted(
    tmp_path: Path, policy: str, places: list[tuple[int, int]]
) -> None:
    path = write(tmp_path / "x.json", entity("lungcancer", (16, 22), (0, 4)))
    corpus = Corpus(reader=partial(read_kazu, discontinuous=policy), path=path)
    (document,) = corpus
    assert [(span.start, span.end) for _, span in document.spans] == places
    assert corpus.adjusted.total() == 1


def test_a_match_in_lower_case_is_the_text_as_kazu_s_llm_step_writes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", entity("egfr", (0, 4)), text="EGFR")
    (document,) = Corpus(reader=read_kazu, path=path)
    assert len(document.spans) == 1


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (entity("lung", (1, 5)), r'\(1–5, "disease"\) should be "lung", but the text there is "ung "'),
        (entity("lung", (0, 99)), r'\(0–99, "disease"\) ends after the text \(22 characters\)'),
        (entity("lung"), r'\("disease", "lung"\) has no spans'),
        ({"match": "lung"}, '"entity_class" is missing'),
        ("lung", "a record must be an object"),
    ],
)
def test_a_broken_entity_is_named_with_file_document_and_section(tmp_path: Path, broken: Any, reason: str) -> None:
    path = write(tmp_path / "x.json", broken)
    with pytest.raises(CorpusError, match=rf'x\.json: document "x": section "abstract": entity 0 {reason}'):
        list(Corpus(reader=read_kazu, path=path))


def test_a_document_that_we_write_for_kazu_is_read_again_with_its_spans(tmp_path: Path) -> None:
    spans = (Span(0, 4, "gene", source="an LLM"), Span(5, 9, "word", source="run 3"))
    written = Document("x", (Section("a", "EGFR gene", spans), Section("b", "")), {"year": 2020})
    (tmp_path / "x.json").write_text(json.dumps(kazu_document(written)))
    (document,) = Corpus(reader=read_kazu, path=tmp_path)
    assert document == written


def test_a_score_is_kept_for_kazu_in_the_entity_s_metadata() -> None:
    document = Document("x", (Section("a", "EGFR", (Span(0, 4, "gene", score=0.5),)),))
    (kazu_entity,) = kazu_document(document)["sections"][0]["entities"]
    assert kazu_entity["metadata"] == {"score": 0.5}
    assert kazu_entity["namespace"] == "kazu_distill"
