"""Our copy of Kazu's rule gives what Kazu's own scorer gives."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.kazu_rule import kazu_metrics
from kazu_distill.scoring.metrics import Metrics
from kazu_distill.scoring.pairs import paired
from tests.kazu.test_ner_step import ENVIRONMENT
from tests.stages import REPOSITORY

LABELS = ("gene or gene product", "drug", "disease, disorder, phenotype or trait")
TEXT = "EGFR inhibitors were given for gout."


def by_kazu(gold: list[Document], predicted: list[Document], folder: Path) -> Metrics:
    """What Kazu says."""
    for name, documents in (("gold", gold), ("predicted", predicted)):
        write_documents(folder / f"{name}.jsonl", documents)
    files = [folder / "gold.jsonl", folder / "predicted.jsonl"]
    run = subprocess.run(
        [ENVIRONMENT / "bin/python", "scripts/kazu_scores.py", *files, *LABELS],
        cwd=REPOSITORY, env=os.environ | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    return {
        name: value for name, value in found.items() if name not in ("false_positives", "false_negatives", "test_loss")
    }


def drawn(random_numbers: random.Random, *, most: int, labels: tuple[str, ...] = LABELS) -> tuple[Span, ...]:
    """Spans that may coincide, nest, cross and touch."""
    places = [sorted(random_numbers.sample(range(len(TEXT)), 2)) for _ in range(random_numbers.randint(0, most))]
    return tuple(Span(start, end, random_numbers.choice(labels)) for start, end in places)


@pytest.mark.slow
def test_kazus_scorer_says_the_same(tmp_path: Path) -> None:
    if not (ENVIRONMENT / "kazu.installed").exists():
        pytest.skip(f"needs Kazu in {ENVIRONMENT}: bash scripts/kazu_environment.sh")
    for seed, (most, predicted_labels) in enumerate([(6, LABELS), (1, LABELS), (6, LABELS[:2]), (0, LABELS)]):
        random_numbers = random.Random(seed)
        texts = [Document(str(number), (Section("", TEXT), Section("", TEXT))) for number in range(60)]
        gold = [each.with_spans([drawn(random_numbers, most=most) for _ in each.sections]) for each in texts]
        predicted = [
            each.with_spans([drawn(random_numbers, most=most, labels=predicted_labels) for _ in each.sections])
            for each in texts
        ]
        folder = tmp_path / str(seed)
        folder.mkdir()
        ours = kazu_metrics(paired(gold, predicted), LABELS)
        assert ours == pytest.approx(by_kazu(gold, predicted, folder))
        assert (ours["mean_f1"] == 0) == (most == 0 or predicted_labels != LABELS)
