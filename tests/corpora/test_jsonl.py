"""JSON lines are read in our own shape and in the flat one."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from tests.shared_data import shared_data


def test_documents_of_ours_are_read_as_they_were_written(tmp_path: Path) -> None:
    spans = (Span(0, 4, "gene", 0.5, "an LLM"), Span(0, 4, "drug"))
    written = [Document("x", (Section("title", "EGFR", spans), Section("abstract", "")), {"year": 2020})]
    write_documents(tmp_path / "documents.jsonl", written)
    assert list(Corpus(reader=read_jsonl, path=tmp_path)) == written


def test_a_flat_record_is_a_section_of_gold_spans_and_its_other_fields_are_metadata(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"pmid": 17, "body": "EGFR β", "ner": [{"start": 5, "end": 6, "label": "greek", "score": 0.5}], "year": 2020}'
    )
    reader = partial(read_jsonl, id_field="pmid", text_field="body", spans_field="ner")
    section = Section("text", "EGFR β", (Span(5, 6, "greek", 0.5, "gold"),))
    assert list(Corpus(reader=reader, path=path)) == [Document("17", (section,), {"year": 2020})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "a record must be an object, not list"),
        ("3", "a record must be an object, not int"),
        ("{", r"not JSON: .* \(column \d\)"),
        ('{"text": "EGFR"}', '"id" is missing'),
        ('{"id": true, "text": "EGFR"}', '"id" must be a string, not True'),
        ('{"id": "x"}', 'document "x": "text" is missing'),
        ('{"id": "x", "text": "EGFR", "entities": null}', 'document "x": "entities" must be a list, not None'),
        ('{"id": "x", "text": "EGFR", "entities": [{"start": 0}]}', 'document "x": "end" is missing'),
    ],
)
def test_a_broken_record_is_named_and_the_next_is_read(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{line}\n{{"id": "good", "text": ""}}\n')
    with pytest.raises(CorpusError, match=rf"x\.jsonl:1: .*{reason}"):
        list(Corpus(reader=read_jsonl, path=path))
    assert [document.id for document in Corpus(reader=read_jsonl, path=path, on_error="skip")] == ["good"]


def test_the_bc5cdr_documents_are_read_whole() -> None:
    documents = list(Corpus(reader=read_jsonl, path=shared_data("bc5cdr_llm/documents.jsonl")))
    assert len(documents) == 500
    spans = Counter(span.label for document in documents for _, span in document.spans)
    assert spans == {"Chemical": 5_385, "Disease": 4_424}
