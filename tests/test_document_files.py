"""The file of documents gives back what was written, names what is broken, and is never half there."""

from __future__ import annotations

import codecs
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.document_files import (
    document_from_record,
    document_line,
    document_to_record,
    files_of,
    read_documents,
    write_documents,
)
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError

LABELS = st.sampled_from(["gene or gene product", "disease, disorder, phenotype or trait"])


@st.composite
def sections(draw: st.DrawFn) -> Section:
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
    spans = []
    for _ in range(draw(st.integers(0, 3)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw(LABELS), draw(st.floats(0, 1)), draw(st.sampled_from(["", "gold"]))))
    return Section(draw(st.sampled_from(["", "title"])), text, tuple(spans))


documents = st.builds(
    Document, st.text("abc:1é", min_size=1), st.lists(sections(), max_size=3).map(tuple), st.just({"journal": "Ω"})
)


@given(st.lists(documents, max_size=4, unique_by=lambda document: document.id))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, written: list[Document]) -> None:
    path = tmp_path_factory.mktemp("round") / "documents.jsonl"
    assert write_documents(path, written) == len(written)
    assert list(read_documents(path)) == written


@given(documents)
def test_a_document_is_one_line_and_its_record_gives_it_back(document: Document) -> None:
    line = document_line(document)
    assert line.count(b"\n") == 1
    assert document_from_record(document_to_record(document)) == document


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", r"not JSON: .* \(column \d\)"),
        ("[]", "a record must be an object, not list"),
        ('{"sections": []}', '"id" is missing'),
        ('{"id": 7, "sections": []}', '"id" must be a string, not 7'),
        ('{"id": "a", "sections": {}}', '"sections" must be a list'),
        ('{"id": "a", "sections": ["x"]}', 'document "a", section 0: a record must be an object'),
        ('{"id": "a", "sections": [{"name": "t"}]}', 'document "a", section 0: "text" is missing'),
        ('{"id": "a", "sections": [{"text": "t", "spans": null}]}', '"spans" must be a list, not None'),
        ('{"id": "a", "sections": [], "metadata": 3}', '"metadata" must be an object'),
        (
            '{"id": "a", "sections": [{"text": "EGFR", "spans": [{"start": 0, "end": 9, "label": "gene"}]}]}',
            r'document "a", section 0: span 0 \(0–9, "gene"\) ends after the text \(4 characters\)',
        ),
        (
            '{"id": "a", "sections": [{"text": "EGFR", "spans": [{"start": true, "end": 9, "label": "gene"}]}]}',
            '"start" must be a whole number, not True',
        ),
        (
            '{"id": "a", "sections": [{"text": "x", "spans": [{"start": 0, "end": 1, "label": "g", "score": "1"}]}]}',
            "\"score\" must be a number, not '1'",
        ),
        ('{"id": "good", "sections": []}', 'document "good" stands already at .*:1'),
    ],
)
def test_a_broken_line_is_named_with_file_line_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "part.jsonl"
    path.write_text(f'{{"id": "good", "sections": []}}\n\n{line}\n')
    reader = read_documents(path)
    assert next(reader).id == "good"
    with pytest.raises(CorpusError, match=rf"part\.jsonl:3: .*{reason}"):
        next(reader)


def test_a_class_that_the_schema_lacks_is_an_error_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    write_documents(path, [Document("x", (Section("t", "EGFR", (Span(0, 4, "gene"),)),))])
    assert [document.id for document in read_documents(path, labels=["gene"])] == ["x"]
    with pytest.raises(CorpusError, match=r'"x": class "gene" is not in the schema \(drug\).*schema='):
        list(read_documents(path, labels=["drug"]))


def test_a_folder_is_read_file_by_file_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a/z", "c"):
        write_documents(tmp_path / f"{name}.jsonl", [Document(name, ())])
    (tmp_path / ".half.jsonl").write_text("{")
    assert [document.id for document in read_documents(tmp_path)] == ["a/z", "b", "c"]


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    path.write_bytes(codecs.BOM_UTF8 + document_line(Document("x", ())))
    assert [document.id for document in read_documents(path)] == ["x"]


def test_a_path_that_is_not_there_and_a_folder_without_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere: no such file or folder"):
        files_of(tmp_path / "nowhere", suffix=".txt")
    with pytest.raises(CorpusError, match=r"has no \*\.json or \*\.jsonl file"):
        files_of(tmp_path, suffix=(".json", ".jsonl"))


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out" / "documents.jsonl"
    write_documents(path, [Document("old", ())])

    def breaks_off() -> Iterator[Document]:
        yield Document("new", ())
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_documents(path, breaks_off())
    assert [document.id for document in read_documents(path)] == ["old"]
    assert list(path.parent.iterdir()) == [path]


def test_a_process_that_is_killed_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    write_documents(path, [Document("old", ())])
    program = (
        "import os, signal; from pathlib import Path; from kazu_distill.document_files import atomic_writer\n"
        f"with atomic_writer(Path({str(path)!r})) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [document.id for document in read_documents(tmp_path)] == ["old"]
