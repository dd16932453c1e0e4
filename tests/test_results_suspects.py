"""The table of suspects that really are errors counts what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from kazu_distill.document_files import document_line, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.suspects import suspects, to_review
from tests.stages import REPOSITORY


def test_errors_among_the_first_beside_those_of_other_orders(tmp_path: Path) -> None:
    # 120 labels that the student does not find, 100 of them wrong, and 10 spans of its own, 4 of them in gold.
    sections = [Section("", f"EGFR and gout {number}") for number in range(130)]
    label, other = Span(0, 4, "x"), Span(9, 13, "x", 0.9)
    silver, given, found, gold = [], [], [], []
    for number, section in enumerate(sections):
        document = Document(str(number), (section,))
        own = (replace(label, score=0.5 if number < 60 else 1.0),) if number < 120 else ()
        silver.append(document.with_spans([own]))
        given.append(document.with_spans([tuple(replace(span, score=0.1) for span in own)]))
        found.append(document.with_spans([() if own else (other,)]))
        gold.append(document.with_spans([(label,) if number < 20 else (other,) if number > 125 else ()]))
    ranked = suspects(silver, given, found, ["x"])
    folder = tmp_path / "run"
    write_documents(folder / "documents.jsonl", to_review(silver, ranked))
    (folder / "suspects.jsonl").write_text("".join(json.dumps(each.as_json()) + "\n" for each in ranked))
    (tmp_path / "gold.jsonl").write_bytes(b"".join(map(document_line, gold)))
    command = [sys.executable, "scripts/results_suspects.py", str(tmp_path / "gold.jsonl"), str(folder)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    # The 60 labels that were sure, then 40 of the others: of each score those 20 that are in gold come first.
    rows = [line for line in run.stdout.splitlines() if line.startswith(("| 100 |", "| doubted", "| missing"))]
    assert rows == [
        "| 100 | 80 | 0.800 | 83 | 80 | 87 | 80 | 0 of 0 |",
        "| doubted | 120 | 100 | 0.833 | 120 | 0.833 |",
        "| missing | 10 | 4 | 0.400 | 10 | 0.400 |",
    ]
