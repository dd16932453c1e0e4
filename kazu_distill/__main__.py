"""``python -m kazu_distill`` lists the stages."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from kazu_distill import __version__


@dataclass(frozen=True, slots=True)
class Stage:
    """A command, what it reads and writes, and an example that follows on the one before it."""

    name: str
    purpose: str
    reads: str
    writes: str
    example: str


STAGES = (
    Stage(
        "annotate",
        "an LLM labels a corpus",
        "a corpus: text, jsonl, brat, pubtator or kazu",
        "runs/annotate: documents.jsonl, failed.jsonl, report.json, answers.sqlite",
        "python -m kazu_distill.annotate corpus=text corpus.path=abstracts llm=gemini",
    ),
    Stage(
        "split",
        "documents are dealt into three parts",
        "runs/annotate/documents.jsonl",
        "runs/split: train.jsonl, eval.jsonl, test.jsonl, split.json",
        "python -m kazu_distill.split",
    ),
    Stage(
        "train",
        "a small tagger learns the labels",
        "runs/split: train.jsonl, eval.jsonl",
        "runs/train: model, metrics.json, evaluations, tensorboard",
        "python -m kazu_distill.train --config-path conf",
    ),
    Stage(
        "evaluate",
        "precision, recall and F1 per class",
        "runs/train/model and runs/split/test.jsonl, or two sets of documents",
        "runs/evaluate: metrics.json, predicted.jsonl, seqeval.txt",
        "python -m kazu_distill.evaluate",
    ),
    Stage(
        "predict",
        "the tagger labels anything",
        "runs/train/model and a corpus or a text",
        "runs/predict: documents.jsonl",
        "python -m kazu_distill.predict corpus=text corpus.path=more_abstracts",
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
    console.print(f"kazu_distill {__version__}: an LLM labels a corpus, a small tagger learns from it.\n")
    table = Table("stage", "what it does", "reads", "writes")
    for stage in STAGES:
        table.add_row(stage.name, stage.purpose, stage.reads, stage.writes)
    console.print(table)
    console.print("\nRun them in this order; each finds what the one before it wrote:\n")
    for stage in STAGES[:5]:
        console.print(f"  {stage.example}", soft_wrap=True, markup=False)
    console.print("\nEvery stage takes settings as key=value and lists them with --help.")


if __name__ == "__main__":
    main()
