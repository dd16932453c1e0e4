"""Scores documents with Kazu's own scorer; for the python of scripts/kazu_environment.sh.

    .venv-kazu/bin/python scripts/kazu_scores.py GOLD.jsonl PREDICTED.jsonl LABEL…

prints what ``calculate_metrics`` gives, as JSON. It imports no kazu_distill.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench_jobs import records


def documents(gold: Path, predicted: Path) -> list[Any]:
    """Kazu's documents, the gold entities where its scorer looks for them."""
    from kazu.data import Document, Section

    found = []
    for own, its in zip(records(gold), records(predicted), strict=True):
        sections = []
        for wanted, given in zip(own["sections"], its["sections"], strict=True):
            section = Section(name="text", text=wanted["text"])
            section.metadata["gold_entities"] = entities(wanted)
            section.metadata["label_studio_task_id"] = own["id"]
            section.entities = entities(given)
            sections.append(section)
        found.append(Document(idx=own["id"], sections=sections))
    return found


def entities(section: dict[str, Any]) -> list[Any]:
    """A section's spans as Kazu's entities."""
    from kazu.data import CharSpan, Entity

    return [
        Entity(
            match=section["text"][span["start"] : span["end"]],
            entity_class=span["label"],
            spans=frozenset([CharSpan(start=span["start"], end=span["end"])]),
            namespace="scores",
        )
        for span in section["spans"]
    ]


def main() -> None:
    """Score, and print."""
    from kazu.training.train_multilabel_ner import calculate_metrics

    gold, predicted, *labels = sys.argv[1:]
    metrics, _ = calculate_metrics(0.0, documents(Path(gold), Path(predicted)), [*labels, "O"])
    json.dump(metrics, sys.stdout)


if __name__ == "__main__":
    main()
