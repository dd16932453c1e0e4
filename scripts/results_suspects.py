"""How many suspected label errors really are errors: what ``kazu_distill.suspects`` wrote, against human gold.

    python -m kazu_distill.suspects schema=bc5cdr encoder=minilm trainer=cpu folds=3 \
        trainer.arguments.num_train_epochs=4 corpus.path=runs/votes/mixtral/annotate/documents.jsonl \
        out=runs/suspects/mixtral
    python scripts/results_suspects.py DATA/documents.jsonl runs/suspects/mixtral …

The first argument is the gold, as `corpus=jsonl` reads it; the others are folders that the stage wrote. A suspect with
a label (doubted, other edges, other class) is an error if the label is not in gold: same edges and class. A missing one
is an error if the student's span is in gold. Nothing but this script reads the gold.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, TypeAlias

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document
from kazu_distill.scoring.suspects import Kind

TOPS = (100, 500, 2000)
DOCUMENTS = (25, 50, 100)
Places: TypeAlias = Mapping[tuple[str, int], set[tuple[int, int, str]]]
"""The spans of a section, by document and number of the section."""


def main() -> None:
    """Read, count and print."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    gold = _places(list(Corpus(reader=read_jsonl, path=sys.argv[1])))
    for folder in map(Path, sys.argv[2:]):
        silver = list(read_documents(folder / "documents.jsonl"))
        with (folder / "suspects.jsonl").open(encoding="utf-8") as lines:
            ranked = [json.loads(line) for line in lines]
        print(f"\n{folder.name}: {len(silver):,} documents, {len(ranked):,} suspects\n")
        _print_tops(ranked, silver, gold)
        _print_kinds(ranked, gold)
        _print_documents(silver, gold)


def is_error(suspect: Mapping[str, Any], gold: Places) -> bool:
    """Whether gold lacks the label, or has the span that the student finds where no label is."""
    if suspect["label_span"] is None:
        return is_right(suspect["student_span"], suspect, gold)
    return not is_right(suspect["label_span"], suspect, gold)


def is_right(span: Mapping[str, Any], suspect: Mapping[str, Any], gold: Places) -> bool:
    """Whether gold has a span of a suspect, with its edges and class."""
    return (span["start"], span["end"], span["label"]) in gold[suspect["document"], suspect["section"]]


def _print_tops(ranked: Sequence[Mapping[str, Any]], silver: Sequence[Document], gold: Places) -> None:
    """Errors among the first, beside what four orders that know nothing of the student's sureness would have found."""
    errors = [is_error(suspect, gold) for suspect in ranked]
    wrong: dict[float, list[bool]] = defaultdict(list)  # labels by their own score, the lowest first
    for score, each in sorted(
        (span.score, span.place not in gold[document.id, number])
        for document in silver
        for number, section in enumerate(document.sections)
        for span in section.spans
    ):
        wrong[score].append(each)
    of_score = {score: mean(own) for score, own in wrong.items()}
    of_missing = mean([is_error(suspect, gold) for suspect in ranked if suspect["kind"] == Kind.MISSING] or [0])
    alike = [of_score[suspect["label_span"]["score"]] if suspect["label_span"] else of_missing for suspect in ranked]
    lowest = [of_score[score] for score, own in wrong.items() for _ in own]
    at_random = mean([each for own in wrong.values() for each in own]), mean(errors)
    columns = (
        "errors", "share", "labels at random", "suspects at random", "others of the same score", "lowest score first",
        "corrections right",
    )  # fmt: skip
    print(f"| first | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")
    for top in (top for top in TOPS if top <= len(ranked)):
        corrections = [suspect for suspect in ranked[:top] if suspect["student_span"]]
        right = sum(is_right(suspect["student_span"], suspect, gold) for suspect in corrections)
        expected = (*(share * top for share in at_random), sum(alike[:top]), sum(lowest[:top]))
        print(
            f"| {top:,} | {sum(errors[:top]):,} | {mean(errors[:top]):.3f} "
            f"| {' | '.join(f'{each:,.0f}' for each in expected)} | {right:,} of {len(corrections):,} |"
        )


def _print_kinds(ranked: Sequence[Mapping[str, Any]], gold: Places) -> None:
    first = len(ranked[: TOPS[-1]])
    print(f"\n| kind | suspects | errors | share | in the first {first:,} | share of them |\n|{' --- |' * 6}")
    for kind in Kind:
        cells = []
        for some in (ranked, ranked[:first]):
            own = [is_error(suspect, gold) for suspect in some if suspect["kind"] == kind]
            cells.append((f"{len(own):,}", f"{sum(own):,}", f"{mean(own):.3f}" if own else "–"))
        print(f"| {kind.value} | {' | '.join((*cells[0], cells[1][0], cells[1][2]))} |")


def _print_documents(silver: Sequence[Document], gold: Places) -> None:
    """Errors of both sorts in the documents that come first, beside the share of the text that they are."""
    errors, lengths = [], []
    for document in silver:
        labelled = _places([document])
        errors.append(sum(len(own ^ gold[key]) for key, own in labelled.items()))
        lengths.append(sum(len(section.text) for section in document.sections))
    print("\n| first documents | share of all errors | share of all text |")
    print("| --- | --- | --- |")
    for first in (first for first in DOCUMENTS if first < len(silver)):
        print(
            f"| {first} of {len(silver)} | {sum(errors[:first]) / sum(errors):.3f} "
            f"| {sum(lengths[:first]) / sum(lengths):.3f} |"
        )


def _places(documents: Sequence[Document]) -> Places:
    return {
        (document.id, number): {span.place for span in section.spans}
        for document in documents
        for number, section in enumerate(document.sections)
    }


if __name__ == "__main__":
    main()
