"""Score a model, or given predictions, against gold documents: ``python -m kazu_distill.evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import orjson
from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.document_files import atomic_writer, read_documents, write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.schema import Schema
from kazu_distill.scoring.breakdown import breakdown, breakdown_json, groupings, known_mentions
from kazu_distill.scoring.comparison import compare
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.curves import precision_recall_curves
from kazu_distill.scoring.evaluation import Evaluation, evaluate
from kazu_distill.scoring.kazu_rule import kazu_metrics
from kazu_distill.scoring.mistakes import Analysis, Kind, analyse
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.report.learning import learning_curve
from kazu_distill.scoring.report.report import write_report
from kazu_distill.scoring.seqeval_report import seqeval_report
from kazu_distill.scoring.table import comparison_table, groups_line, rules_line, score_table
from kazu_distill.stage import stage_main
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.threads import limit_threads

_CHANGES = 5  # documents that are named on each side


@stage_main(config_name="evaluate")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    require_number("resamples", config.resamples, above=0, whole=True)
    if config.compare:
        _compare(config, out)
        return
    thresholds: dict[str, float] | None = None
    if config.predicted.path:
        schema = instantiate(config.schema)
        gold = _documents(config.gold, labels=schema.labels)
        predicted = _documents(config.predicted, labels=schema.labels)
    else:
        limit_threads()
        tagger = Tagger.from_pretrained(config.model, runtime=config.runtime, device=config.device)
        schema = tagger.schema
        labels = tagger.scheme.labels
        thresholds = dict(zip(labels, tagger.settings.thresholds_of(labels).tolist(), strict=True))
        gold = _documents(config.gold, labels=schema.labels)
        predicted = list(tagger.label(gold, source=str(config.model)))
        write_documents(out / "predicted.jsonl", predicted)
        print_files(out, "predicted.jsonl")
    if config.only:
        gold, predicted = _only(Path(config.only), gold, predicted)
    pairs = paired(gold, predicted)
    evaluation = evaluate(pairs, schema.labels, seed=config.seed, resamples=config.resamples)
    analysis = analyse(pairs, schema.labels)
    known = known_mentions(read_documents(Path(config.train))) if config.train else None
    groups = breakdown(pairs, groupings(known))
    by_kazu = {"kazu": kazu_metrics(pairs, schema.labels)} if config.kazu_rule else {}
    write_json(out / "metrics.json", evaluation.as_json() | analysis.as_json() | breakdown_json(groups) | by_kazu)
    with atomic_writer(out / "errors.jsonl") as file:
        for mistake in analysis.mistakes:
            file.write(orjson.dumps(mistake.as_json(), option=orjson.OPT_APPEND_NEWLINE))
    report = seqeval_report(pairs, schema.labels)
    (out / "seqeval.txt").write_text(report.text + "\n", encoding="utf-8")
    _print(evaluation, analysis)
    for name, own in groups.items():
        console.print(f"F1 by {name}: {groups_line(own)}", markup=False, soft_wrap=True)
    if by_kazu:
        console.print(
            f"by Kazu's rule: mean F1 {100 * (by_kazu['kazu']['mean_f1'] or 0):.1f}. It takes any overlap for a hit "
            "and forgets what was missed in sections without a prediction: for comparison with Kazu's table only.",
            soft_wrap=True,
        )
    left_out = report.gold_left_out + report.predicted_left_out
    if left_out:
        console.print(f"seqeval.txt leaves out {left_out:,} spans that overlap one of their class")
    _write_page(config, out, evaluation, analysis, groups, thresholds)
    print_files(out, "report.html", "metrics.json", "errors.jsonl", "seqeval.txt")


def _write_page(
    config: DictConfig,
    out: Path,
    evaluation: Evaluation,
    analysis: Analysis,
    groups: Mapping[str, Mapping[str, Counts]],
    thresholds: Mapping[str, float] | None,
) -> None:
    """The same as a page; of a model also what its training run left beside it. Thresholds are those of a model."""
    is_model = thresholds is not None
    write_report(
        out / "report.html",
        title=f"{config.model if is_model else config.predicted.path} scored against {config.gold.path}",
        evaluation=evaluation,
        analysis=analysis,
        groups=groups,
        curves=precision_recall_curves(evaluation.sides),
        learning=learning_curve(Path(config.model).parent / "evaluations") if is_model else [],
        thresholds=thresholds,
    )


def _print(evaluation: Evaluation, analysis: Analysis) -> None:
    """What the files say, in short."""
    console.print(
        score_table(
            evaluation.metrics,
            evaluation.labels,
            title=f"{evaluation.sides.documents:,} documents, strict matching",
            intervals=evaluation.intervals,
            few=evaluation.few,
        )
    )
    console.print(f"micro F1 by looser rules: {rules_line(evaluation.looser)}", soft_wrap=True)
    kinds = sum(analysis.kinds.values(), Counter[Kind]())
    console.print(", ".join(f"{kind.value} {kinds[kind]:,}" for kind in Kind if kinds[kind]), soft_wrap=True)


def _compare(config: DictConfig, out: Path) -> None:
    """Set two files of predictions against each other."""
    files = list(config.compare)
    if len(files) != 2:
        raise ConfigError(f"compare={files}: two files of predictions are compared: compare=[a.jsonl,b.jsonl]")
    schema: Schema = instantiate(config.schema)
    gold = _documents(config.gold, labels=schema.labels)
    sides = []
    for file in files:
        predicted = _documents(config.predicted, labels=schema.labels, path=file)
        sides.append(paired(*(_only(Path(config.only), gold, predicted) if config.only else (gold, predicted))))
    comparison = compare(sides[0], sides[1], schema.labels, seed=config.seed, resamples=config.resamples)
    write_json(out / "comparison.json", comparison.as_json() | {"first": files[0], "second": files[1]})
    console.print(f"first: {files[0]}\nsecond: {files[1]}", markup=False, soft_wrap=True)
    console.print(comparison_table(comparison, names=("first", "second")))
    better, worse = comparison.better(), comparison.worse()
    console.print(
        f"predictions differ in {len(comparison.changes):,} of {len(sides[0]):,} documents; the second has fewer "
        f"errors in {len(better):,}, more in {len(worse):,}",
        soft_wrap=True,
    )
    for name, changes in (("most improved", better), ("most worsened", worse)):
        if changes:
            named = ", ".join(change.document for change in changes[:_CHANGES])
            console.print(f"{name}: {named}", markup=False, soft_wrap=True)
    print_files(out, "comparison.json")


def _only(path: Path, *sets: list[Document]) -> list[list[Document]]:
    """Of each set the documents whose ids stand in a file, and a word on how many that leaves."""
    wanted = {document.id for document in read_documents(path)}
    kept = [[document for document in documents if document.id in wanted] for documents in sets]
    for name, before, after in zip(("gold", "predicted"), sets, kept, strict=True):
        console.print(
            f"{name}: {len(after):,} of {len(before):,} documents are in {path}", markup=False, soft_wrap=True
        )
    return kept


def _documents(config: DictConfig, *, labels: tuple[str, ...], path: str | None = None) -> list[Document]:
    """The documents of a corpus; of another ``path`` than the configured one, if it is given."""
    corpus = instantiate(config, labels=labels, path=path or config.path)
    documents = list(corpus)
    print_remarks(corpus)
    if not documents:
        raise ConfigError(f"{path or config.path} has no documents")
    return documents


if __name__ == "__main__":
    main()
