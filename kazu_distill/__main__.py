"""``python -m kazu_distill`` lists the stages."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kazu_distill import __version__


@dataclass(frozen=True, slots=True)
class Stage:
    """A command, what it reads and writes, an example that follows on the one before it, and the sign that it ran."""

    name: str
    purpose: str
    reads: str
    writes: str
    example: str
    result: Path | None = None


STAGES = (
    Stage(
        "annotate",
        "an LLM labels a corpus",
        "a corpus: text, jsonl, brat, pubtator or kazu",
        "runs/annotate: documents.jsonl, failed.jsonl, report.json, answers.sqlite",
        "python -m kazu_distill.annotate corpus=text corpus.path=abstracts llm=gemini",
        Path("runs/annotate/documents.jsonl"),
    ),
    Stage(
        "split",
        "documents are dealt into three parts",
        "runs/annotate/documents.jsonl",
        "runs/split: train.jsonl, eval.jsonl, test.jsonl, split.json",
        "python -m kazu_distill.split",
        Path("runs/split/train.jsonl"),
    ),
    Stage(
        "train",
        "a small tagger learns the labels",
        "runs/split: train.jsonl, eval.jsonl",
        "runs/train: model, metrics.json, evaluations, tensorboard",
        "python -m kazu_distill.train --config-path conf",
        Path("runs/train/metrics.json"),
    ),
    Stage(
        "evaluate",
        "precision, recall and F1 per class",
        "runs/train/model and runs/split/test.jsonl, or two sets of documents",
        "runs/evaluate: report.html, metrics.json, errors.jsonl, predicted.jsonl, model.json, seqeval.txt",
        "python -m kazu_distill.evaluate",
        Path("runs/evaluate/metrics.json"),
    ),
    Stage(
        "predict",
        "the tagger labels anything",
        "runs/train/model and a corpus or a text",
        "runs/predict: documents.jsonl",
        "python -m kazu_distill.predict corpus=text corpus.path=more_abstracts",
        Path("runs/predict/documents.jsonl"),
    ),
    Stage(
        "suspects",
        "labels that are probably wrong, for review",
        "runs/split/train.jsonl, or any labelled documents",
        "runs/suspects: suspects.jsonl, documents.jsonl",
        "python -m kazu_distill.suspects",
    ),
    Stage(
        "export",
        "the tagger as ONNX and int8, checked against torch",
        "runs/train/model and runs/split/eval.jsonl",
        "runs/train/model/onnx: model.onnx, model_int8.onnx, export.json",
        "python -m kazu_distill.export",
    ),
    Stage(
        "review",
        "people correct labels in Label Studio",
        "documents with spans; then a project in Label Studio",
        "runs/review: documents.jsonl, review.json",
        "python -m kazu_distill.review push version=llm",
    ),
    Stage(
        "schema",
        "free types become classes of a schema, to be edited",
        "runs/annotate/documents.jsonl of annotate schema=open",
        "runs/schema: conf/schema/proposed.yaml",
        "python -m kazu_distill.schema documents=runs/annotate/documents.jsonl",
    ),
    Stage(
        "instruct",
        "labelled documents to data for tuning an LLM, and its answers to documents",
        "runs/split, or any labelled documents; then the answers of a tuned LLM",
        "runs/instruct: a folder for each format, report.json; then documents.jsonl, failed.jsonl, read.json",
        "python -m kazu_distill.instruct write plan=true",
    ),
    Stage(
        "tune",
        "an open LLM learns to answer as the labels say",
        "runs/instruct, written with formats=[openai], and runs/split/eval.jsonl",
        "runs/tune: adapter, merged, metrics.json, evaluations, tensorboard",
        "python -m kazu_distill.tune base_llm=8b plan=true",
    ),
    Stage(
        "answers",
        "stored LLM answers to text and back",
        "runs/annotate/answers.sqlite",
        "a JSONL file of answers",
        "python -m kazu_distill.answers export_to=answers.jsonl",
    ),
)


def main() -> None:
    """Print the stages in the order in which they are run."""
    console = Console(highlight=False)
    if len(sys.argv) > 1:
        names = ", ".join(stage.name for stage in STAGES)
        sys.exit(f"python -m kazu_distill takes no arguments; a stage is python -m kazu_distill.NAME, one of {names}")
    console.print(f"kazu_distill {__version__}: an LLM labels a corpus, a small tagger learns from it.\n")
    table = Table("stage", "what it does", "reads", "writes")
    for stage in STAGES:
        table.add_row(stage.name, stage.purpose, stage.reads, stage.writes)
    console.print(table)
    console.print("\nRun them in this order; each finds what the one before it wrote:\n")
    pipeline = [stage for stage in STAGES if stage.result is not None]
    for stage in pipeline:
        console.print(f"  {stage.example}", soft_wrap=True, markup=False)
    console.print("\nEvery stage takes settings as key=value and lists them with --help.")
    following = next((stage for stage in pipeline if stage.result and not stage.result.exists()), None)
    if following is not None:
        console.print(f"\nNext: {following.example}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    main()
