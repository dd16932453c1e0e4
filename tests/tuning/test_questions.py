"""The questions of an evaluation: whole documents, a sample of them, and what the right answers reach."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.grounding.grounder import Grounder
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, CorpusError
from kazu_distill.instruction.counting import RecordLength, token_counter
from kazu_distill.instruction.part import PartMaker
from kazu_distill.instruction.reading import AnswerReader
from kazu_distill.instruction.writing import RecordFiles
from kazu_distill.tuning.judging import UNREADABLE, Judge
from kazu_distill.tuning.questions import Questions, read_questions
from tests.instruction.making import maker
from tests.tuning.learning import SCHEMA, documents

DOCUMENTS = documents(12)
READER = partial(
    AnswerReader, style=JsonList(), grounder=Grounder(occurrences="listed", split_abbreviations=False), source="tuned"
)


def written(folder: Path, learnt: Sequence[Document], *, max_tokens: int | None = None) -> Path:
    """The records of the eval part."""
    files = RecordFiles(folder, lines=folder, formats=["openai"], full=True)
    with files.opened():
        PartMaker(
            maker=maker(SCHEMA), chunker=Chunker(tokens=1000), length=RecordLength(token_counter(None)),
            max_tokens=max_tokens, files=files, measured={},
        ).make("eval", learnt)  # fmt: skip
    return folder


def judge(questions: Questions, labels: Sequence[str] = SCHEMA.labels) -> Judge:
    return Judge(questions, reader=READER(schema=SCHEMA), labels=labels)


def test_the_right_answers_give_back_the_documents(tmp_path: Path) -> None:
    questions = read_questions(written(tmp_path, DOCUMENTS), reversed(DOCUMENTS), wanted=None, seed=1)
    assert list(questions.documents) == DOCUMENTS, "in the order of the records, whatever that of the corpus"
    assert questions.left_out == 0
    right = [record.answer for record in questions.records]
    assert [record.request.user for record in questions.records] == [each.sections[0].text for each in DOCUMENTS]
    assert judge(questions).ceiling(right) == 1.0
    figures = judge(questions).figures(["no JSON", *right[1:]])
    assert figures[UNREADABLE] == 1
    assert figures["micro_precision"] == 1.0
    assert figures["mean_f1"] != 1.0, "what cannot be read counts as not found"
    with pytest.raises(ConfigError, match=r"reach a mean F1 of 0\.0 only: give the schema="):
        judge(questions).ceiling(["[]"] * len(right))


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    written(tmp_path, DOCUMENTS)
    first, again, other = (read_questions(tmp_path, DOCUMENTS, wanted=4, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first.documents) == len(first.records) == 4
    assert judge(first).key() == judge(again).key() != judge(other).key()
    assert judge(first).ceiling([record.answer for record in first.records]) == 1.0


def test_documents_with_a_question_without_a_record_are_not_asked_about(tmp_path: Path) -> None:
    longest = max(len(each.sections[0].text) for each in DOCUMENTS)
    counted = RecordLength(token_counter(None))
    lengths = sorted(counted(made) for each in DOCUMENTS for _, made, _ in maker(SCHEMA).records(each, training=False))  # type: ignore[arg-type]
    written(tmp_path, DOCUMENTS, max_tokens=lengths[5])
    questions = read_questions(tmp_path, DOCUMENTS, wanted=None, seed=1)
    assert 0 < questions.left_out == len(DOCUMENTS) - len(questions.documents)
    assert longest not in {len(each.sections[0].text) for each in questions.documents}
    assert judge(questions).ceiling([record.answer for record in questions.records]) == 1.0


def test_what_does_not_belong_together_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, DOCUMENTS)
    with pytest.raises(CorpusError, match="was asked about and is not there"):
        read_questions(tmp_path, DOCUMENTS[1:], wanted=None, seed=1)
    with pytest.raises(ConfigError, match='ask for "illness", which it has not'):
        judge(read_questions(tmp_path, DOCUMENTS, wanted=None, seed=1), labels=["drug"])
    nothing = [each.without_spans() for each in DOCUMENTS]
    questions = read_questions(written(tmp_path / "nothing", nothing), nothing, wanted=None, seed=1)
    with pytest.raises(ConfigError, match="have no entity"):
        judge(questions).ceiling([record.answer for record in questions.records])
    records = tmp_path / "openai/eval.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[0]]):
        records.write_text("".join(changed))
        with pytest.raises(CorpusError, match="write them again with"):
            read_questions(tmp_path, DOCUMENTS, wanted=None, seed=1)
    (tmp_path / "questions/eval.jsonl").write_text("")
    records.write_text("")
    with pytest.raises(CorpusError, match="has no records"):
        read_questions(tmp_path, DOCUMENTS, wanted=None, seed=1)
