"""Score a model, or given predictions, against gold documents: ``python -m kazu_distill.evaluate``."""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.scoring.counts import strict_counts
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.seqeval_report import seqeval_report
from kazu_distill.scoring.table import score_table
from kazu_distill.stage import stage_main
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.threads import limit_threads


@stage_main(config_name="evaluate")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    if config.predicted.path:
        schema = instantiate(config.schema)
        gold = _documents(config.gold, labels=schema.labels)
        predicted = _documents(config.predicted, labels=schema.labels)
    else:
        limit_threads()
        tagger = Tagger.from_pretrained(config.model, runtime=config.runtime, device=config.device)
        schema = tagger.schema
        gold = _documents(config.gold, labels=schema.labels)
        predicted = list(tagger.label(gold, source=str(config.model)))
        write_documents(out / "predicted.jsonl", predicted)
        print_files(out, "predicted.jsonl")
    if config.only:
        gold, predicted = _only(Path(config.only), gold, predicted)
    pairs = paired(gold, predicted)
    metrics = metrics_of(strict_counts(pairs, schema.labels))
    write_json(out / "metrics.json", metrics)
    report = seqeval_report(pairs, schema.labels)
    (out / "seqeval.txt").write_text(report.text + "\n", encoding="utf-8")
    console.print(score_table(metrics, schema.labels, title=f"{len(gold):,} documents, strict matching"))
    left_out = report.gold_left_out + report.predicted_left_out
    if left_out:
        console.print(f"seqeval.txt leaves out {left_out:,} spans that overlap one of their class")
    print_files(out, "metrics.json", "seqeval.txt")


def _only(path: Path, *sets: list[Document]) -> list[list[Document]]:
    """Of each set the documents whose ids stand in a file, and a word on how many that leaves."""
    wanted = {document.id for document in read_documents(path)}
    kept = [[document for document in documents if document.id in wanted] for documents in sets]
    for name, before, after in zip(("gold", "predicted"), sets, kept, strict=True):
        console.print(
            f"{name}: {len(after):,} of {len(before):,} documents are in {path}", markup=False, soft_wrap=True
        )
    return kept


def _documents(config: DictConfig, *, labels: tuple[str, ...]) -> list[Document]:
    corpus = instantiate(config, labels=labels)
    documents = list(corpus)
    print_remarks(corpus)
    if not documents:
        raise ConfigError(f"{config.path} has no documents")
    return documents


if __name__ == "__main__":
    main()
