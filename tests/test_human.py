"""People's documents among an LLM's."""

from __future__ import annotations

from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.splitting.human import Combined, combine, with_human

TEXTS = ("BRCA1 here.", "And cancer.")
LLM, HUMAN = Span(0, 5, "gene", 0.5, "llm"), Span(4, 10, "disease", 0.9, "ada@example.org")


def document(name: str, *spans: tuple[Span, ...], texts: tuple[str, ...] = TEXTS) -> Document:
    own = spans or ((),) * len(texts)
    return Document(name, tuple(Section("s", f"{text} {name}", each) for text, each in zip(texts, own, strict=True)))


def test_peoples_documents_take_the_place_of_the_llms_and_others_come_last() -> None:
    silver = [document(name, (LLM,), ()) for name in "abc"]
    human = [document("new", (), (HUMAN,)), document("b", (), (HUMAN,))]
    assert list(with_human(silver, human)) == [silver[0], human[1], silver[2], human[0]]


def test_sections_that_nobody_reviewed_stay_the_llms() -> None:
    silver = document("a", (LLM,), (LLM,))
    reviewed = Document("a", (Section("s", silver.sections[1].text, (HUMAN,)),), {"review": []})
    (both,) = with_human([silver], [reviewed])
    assert [section.spans for section in both.sections] == [(LLM,), (HUMAN,)]
    assert both.metadata == {"review": []}


def test_a_text_that_has_changed_is_as_people_have_it() -> None:
    reviewed = Document("a", (Section("s", "Another text."),))
    assert list(with_human([document("a")], [reviewed])) == [reviewed]


def test_what_is_held_out_is_not_learnt_and_people_are_sure(tmp_path: Path) -> None:
    write_documents(tmp_path / "train.jsonl", [document("a", (LLM,), ()), document("b", (LLM,), ())])
    write_documents(tmp_path / "eval.jsonl", [document("e")])
    same_text = Document("other id", document("e").sections)
    write_documents(
        tmp_path / "human.jsonl", [document("a", (), (HUMAN,)), document("e", (), (HUMAN,)), same_text, document("n")]
    )
    held_out = [tmp_path / "eval.jsonl", tmp_path / "test.jsonl"]
    files = {"silver": tmp_path / "train.jsonl", "human": tmp_path / "human.jsonl", "into": tmp_path / "both.jsonl"}
    done = combine(**files, held_out=held_out, labels=["gene", "disease"])
    assert done == Combined(documents=3, human=2, held_out=2)
    both = list(read_documents(tmp_path / "both.jsonl"))
    assert [each.id for each in both] == ["a", "b", "n"]
    assert [span.score for each in both for _, span in each.spans] == [1.0, 0.5]
    with pytest.raises(CorpusError, match='class "disease" is not in the schema'):
        combine(**files, held_out=held_out, labels=["gene"])
