"""How many suspected label errors really are errors: what ``kazu_distill.suspects`` wrote, against human gold.

    python -m kazu_distill.suspects schema=bc5cdr encoder=minilm folds=3 trainer.arguments.num_train_epochs=4 \
        corpus.path=runs/votes/mixtral/annotate/documents.jsonl out=runs/suspects/mixtral
    python scripts/results_suspects.py DATA/documents.jsonl runs/suspects/mixtral …

The first argument is the gold, as `corpus=jsonl` reads it; the others are folders that the stage wrote. A suspect with
a label (doubted, other edges, other class) is an error if the label is not in gold: same edges and class. A missing one
is an error if the student's span is in gold. Nothing but this script reads the gold.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document
from kazu_distill.scoring.suspects import METADATA, Kind

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
    errors = [is_error(suspect, gold) for suspect in ranked]
    labels = sorted(
        (span.score, span.place not in gold[document.id, number])
        for document in silver
        for number, section in enumerate(document.sections)
        for span in section.spans
    )
    weakest = _expected([score for score, _ in labels], [wrong for _, wrong in labels])
    wrong, suspected = (sum(each) / len(each) for each in ([wrong for _, wrong in labels], errors))
    columns = ("errors", "share", "labels at random", "suspects at random", "lowest score first", "corrections right")
    print(f"| first | {' | '.join(columns)} |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for top in (top for top in TOPS if top <= len(ranked)):
        found = sum(errors[:top])
        corrections = [suspect for suspect in ranked[:top] if suspect["student_span"]]
        right = sum(is_right(suspect["student_span"], suspect, gold) for suspect in corrections)
        print(
            f"| {top:,} | {found:,} | {found / top:.3f} | {wrong * top:,.0f} | {suspected * top:,.0f} "
            f"| {weakest[min(top, len(weakest)) - 1]:,.0f} | {right:,} of {len(corrections):,} |"
        )


def _expected(scores: Sequence[float], wrong: Sequence[bool]) -> list[float]:
    """Errors among the first 1, 2, … labels in the order of their scores, in the mean over orders of equal ones."""
    by_score: dict[float, list[bool]] = {}
    for score, each in zip(scores, wrong, strict=True):
        by_score.setdefault(score, []).append(each)
    return list(accumulate(sum(own) / len(own) for own in by_score.values() for _ in own))


def _print_kinds(ranked: Sequence[Mapping[str, Any]], gold: Places) -> None:
    print("\n| kind | suspects | errors | share | in the first 2,000 | share of them |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in Kind:
        own = [is_error(suspect, gold) for suspect in ranked if suspect["kind"] == kind]
        first = [is_error(suspect, gold) for suspect in ranked[: TOPS[-1]] if suspect["kind"] == kind]
        shares = (f"{sum(each) / len(each):.3f}" if each else "–" for each in (own, first))
        print(f"| {kind.value} | {len(own):,} | {sum(own):,} | {next(shares)} | {len(first):,} | {next(shares)} |")


def _print_documents(silver: Sequence[Document], gold: Places) -> None:
    """Errors of both sorts in the documents that come first, beside the share of the text that they are."""
    errors, lengths = [], []
    for document in silver:
        labelled = _places([document])
        errors.append(sum(len(own ^ gold[key]) for key, own in labelled.items()))
        lengths.append(sum(len(section.text) for section in document.sections))
        assert METADATA in document.metadata
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
