"""What a model is asked to find out how well it is tuned, and the documents that its answers make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random
from typing import TypeVar

from kazu_distill.documents import Document
from kazu_distill.errors import CorpusError
from kazu_distill.instruction.predictions import Prediction, Predictions
from kazu_distill.instruction.reading import AnswerReader, ReadDocument, read_asked
from kazu_distill.instruction.records import Asked
from kazu_distill.instruction.writing import ASKED
from kazu_distill.tuning.records import ChatRecord, read_records, records_file

EVAL = "eval"
_Group = TypeVar("_Group")


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about documents that have labels.

    ``records`` has the question and the right answer of each of ``asked``. ``left_out`` counts the documents about
    which not every question has a record.
    """

    documents: Sequence[Document]
    asked: Sequence[Asked]
    records: Sequence[ChatRecord]
    left_out: int

    def read(self, reader: AnswerReader, answers: Sequence[str]) -> list[ReadDocument]:
        """The documents with the spans that answers, one to each question, give them."""
        by_id = {asked.id: Prediction(answer) for asked, answer in zip(self.asked, answers, strict=True)}
        return list(reader.read(self.documents, self.asked, Predictions(Path("answers"), by_id, [])))


def read_questions(data: Path, documents: Iterable[Document], *, wanted: int | None, seed: int) -> Questions:
    """The questions of the records of the eval part.

    Args:
        data: the folder that ``kazu_distill.instruct`` wrote.
        documents: among which are those that were asked about.
        wanted: about how many documents, a seeded sample; None is all.
        seed: of the sample.

    Raises:
        CorpusError: a file is missing, or the files do not belong together.
    """
    file = records_file(data, EVAL)
    records = iter(read_records(file))
    groups: list[tuple[str, list[tuple[Asked, ChatRecord | None]]]] = []
    for identifier, asked in groupby(read_asked(data / ASKED / f"{EVAL}.jsonl"), key=lambda each: each.document_id):
        groups.append((identifier, [(each, None if each.left_out else next(records, None)) for each in asked]))
    if next(records, None) is not None or any(
        record is None and not asked.left_out for _, group in groups for asked, record in group
    ):
        raise CorpusError(
            f"{file} has not the records that {data / ASKED / f'{EVAL}.jsonl'} tells of; write them again with "
            "python -m kazu_distill.instruct write"
        )
    whole = [(name, [(a, r) for a, r in group if r]) for name, group in groups if all(r for _, r in group)]
    if not whole:
        raise CorpusError(f"{file} has no records: the best model is chosen on those of {EVAL}, so give it documents")
    chosen = _sampled(whole, wanted, seed)
    by_id = _documents([name for name, _ in chosen], documents)
    pairs = [pair for _, group in chosen for pair in group]
    return Questions(
        [by_id[name] for name, _ in chosen],
        [asked for asked, _ in pairs],
        [record for _, record in pairs],
        left_out=len(groups) - len(whole),
    )


def _sampled(groups: Sequence[_Group], wanted: int | None, seed: int) -> Sequence[_Group]:
    if wanted is None or wanted >= len(groups):
        return groups
    return [groups[number] for number in sorted(Random(f"eval {seed}").sample(range(len(groups)), wanted))]


def _documents(names: Sequence[str], documents: Iterable[Document]) -> Mapping[str, Document]:
    wanted = set(names)
    by_id = {document.id: document for document in documents if document.id in wanted}
    missing = next((name for name in names if name not in by_id), None)
    if missing is not None:
        raise CorpusError(
            f'document "{missing}" was asked about and is not there; give the documents that the records of {EVAL} '
            "were made of (corpus.path=…)"
        )
    return by_id
