"""Score a model, or given predictions, against gold documents: ``python -m kazu_distill.evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.document_files import atomic_writer, read_documents, write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.schema import Schema
from kazu_distill.scoring.breakdown import known_mentions
from kazu_distill.scoring.comparison import compare
from kazu_distill.scoring.curves import Curves, threshold_curves
from kazu_distill.scoring.findings import Findings, find
from kazu_distill.scoring.kazu_rule import kazu_metrics
from kazu_distill.scoring.metrics import Metrics
from kazu_distill.scoring.mistakes import Kind
from kazu_distill.scoring.model_figures import ModelFigures
from kazu_distill.scoring.pairs import Pair, paired
from kazu_distill.scoring.ranking import rank
from kazu_distill.scoring.report.comparison_page import write_comparison, write_sweep
from kazu_distill.scoring.report.learning import Evaluated, learning_curve
from kazu_distill.scoring.report.report import write_report
from kazu_distill.scoring.report.sweep_markdown import sweep_markdown
from kazu_distill.scoring.report.systems_markdown import systems_markdown
from kazu_distill.scoring.report.systems_page import write_systems
from kazu_distill.scoring.seqeval_report import SeqevalReport, seqeval_report
from kazu_distill.scoring.sweep import rank_jobs, read_jobs, save_job
from kazu_distill.scoring.systems import candidate_of, read_system, system_folders, systems_json
from kazu_distill.scoring.table import (
    comparison_table,
    groups_line,
    ranking_table,
    rules_line,
    score_table,
    systems_table,
    voters_table,
)
from kazu_distill.stage import Sweep, current_sweep, stage_main

_CHANGES = 5  # documents that are named on each side


@dataclass(frozen=True, slots=True)
class Scored:
    """What is scored, and against what; of a model also what it reaches at other thresholds, its training and speed."""

    title: str
    labels: tuple[str, ...]
    pairs: list[Pair]
    curves: Curves | None = None
    learning: Sequence[Evaluated] = ()
    model: ModelFigures | None = None


@stage_main(config_name="evaluate")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    _check(config)
    if config.compare:
        _compare(config, out)
        return
    if config.systems:
        _systems(config, out)
        return
    scored = _given(config) if config.predicted.path else _predicted(config, out)
    findings = find(
        scored.pairs,
        scored.labels,
        seed=config.seed,
        resamples=config.resamples,
        known=known_mentions(read_documents(Path(config.train))) if config.train else None,
        curves=scored.curves,
    )
    by_kazu = kazu_metrics(scored.pairs, scored.labels) if config.kazu_rule else None
    by_seqeval = seqeval_report(scored.pairs, scored.labels)
    _print(scored, findings, by_kazu, by_seqeval)
    _write(out, scored, findings, by_kazu, by_seqeval)
    if sweep := current_sweep():
        save_job(out, sweep.settings, scored.pairs, scored.labels)
        _rank_jobs(config, sweep)


def _check(config: DictConfig) -> None:
    require_number("resamples", config.resamples, above=0, whole=True)
    if config.price_per_hour is not None:
        require_number("price_per_hour", config.price_per_hour, above=0)


def _given(config: DictConfig) -> Scored:
    """Predictions out of a file."""
    schema: Schema = instantiate(config.schema)
    gold, predicted = (_documents(each, labels=schema.labels) for each in (config.gold, config.predicted))
    gold, predicted = _only(config, gold=gold, predicted=predicted)
    return Scored(f"{config.predicted.path} scored against {config.gold.path}", schema.labels, paired(gold, predicted))


def _predicted(config: DictConfig, out: Path) -> Scored:
    """Predictions of a model, which are written down, too."""
    # They load torch, which takes seconds; who has predictions in a file does not wait for it.
    from kazu_distill.models.threads import limit_threads
    from kazu_distill.tagger.runtime import parameters_in, weight_files
    from kazu_distill.tagger.tagger import Tagger
    from kazu_distill.tagger.trial import try_out

    limit_threads()
    folder = Path(config.model)
    tagger = Tagger.from_pretrained(folder, runtime=config.runtime, device=config.device)
    labels = tagger.scheme.labels
    (gold,) = _only(config, gold=_documents(config.gold, labels=labels))
    trial = try_out(tagger, gold, source=str(config.model))
    model = ModelFigures(
        model=str(config.model),
        machine=tagger.runtime.machine,
        parameters=parameters_in(folder),
        bytes=sum(file.stat().st_size for file in weight_files(config.runtime, folder)),
        documents=trial.speed.documents,
        words=trial.speed.words,
        seconds=trial.speed.seconds,
        cpu_seconds=trial.speed.cpu_seconds,
        price_per_hour=config.price_per_hour,
    )
    write_documents(out / "predicted.jsonl", trial.predicted)
    write_json(out / "model.json", model.as_json())
    print_files(out, "predicted.jsonl", "model.json")
    return Scored(
        title=f"{config.model} scored against {config.gold.path}",
        labels=labels,
        pairs=paired(gold, trial.predicted),
        curves=threshold_curves(labels, trial.thresholds, trial.counts),
        learning=learning_curve(folder.parent / "evaluations", labels),
        model=model,
    )


def _write(out: Path, scored: Scored, findings: Findings, by_kazu: Metrics | None, by_seqeval: SeqevalReport) -> None:
    """The results as files."""
    write_json(out / "metrics.json", findings.as_json() | ({} if by_kazu is None else {"kazu": by_kazu}))
    with atomic_writer(out / "errors.jsonl") as file:
        for record in findings.error_records:
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    (out / "seqeval.txt").write_text(by_seqeval.text + "\n", encoding="utf-8")
    report = out / "report.html"
    write_report(report, title=scored.title, findings=findings, learning=scored.learning, model=scored.model)
    print_files(out, "report.html", "metrics.json", "errors.jsonl", "seqeval.txt")


def _print(scored: Scored, findings: Findings, by_kazu: Metrics | None, by_seqeval: SeqevalReport) -> None:
    """The results in short."""
    evaluation = findings.evaluation
    console.print(
        score_table(
            evaluation.metrics,
            evaluation.labels,
            title=f"{evaluation.sides.documents:,} documents, strict matching",
            intervals=evaluation.intervals,
            few=evaluation.few,
        )
    )
    kinds = sum(findings.analysis.kinds.values(), Counter[Kind]())
    _say(f"micro F1 by looser rules: {rules_line(evaluation.looser)}")
    _say(", ".join(f"{kind.value} {kinds[kind]:,}" for kind in Kind if kinds[kind]))
    for name, own in findings.groups.items():
        _say(f"F1 by {name}: {groups_line(own)}")
    if faults := findings.faults.sentence():
        _say(faults)
    if findings.voters:
        console.print(voters_table(findings.voters))
    if by_kazu is not None:
        _say(
            f"by Kazu's rule: mean F1 {100 * (by_kazu['mean_f1'] or 0):.1f}. It takes any overlap for a hit and "
            "forgets what was missed in sections without a prediction: for comparison with Kazu's table only."
        )
    if left_out := by_seqeval.gold_left_out + by_seqeval.predicted_left_out:
        _say(f"seqeval.txt leaves out {left_out:,} spans that overlap one of their class")
    if scored.model:
        _say(scored.model.sentence())


def _rank_jobs(config: DictConfig, sweep: Sweep) -> None:
    """Set all jobs that are done beside each other; after each job, so that a sweep that is killed leaves that, too."""
    jobs = read_jobs(sweep.folder, since=sweep.begun)
    if not jobs:  # each has an out of its own making, elsewhere
        return
    ranking = rank_jobs(jobs, seed=config.seed, resamples=config.resamples)
    with atomic_writer(sweep.folder / "comparison.md") as file:
        file.write(sweep_markdown(ranking).encode("utf-8", errors="replace"))
    write_sweep(sweep.folder / "comparison.html", ranking)
    console.print(ranking_table(ranking))
    print_files(sweep.folder, "comparison.md", "comparison.html")


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


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
        sides.append(paired(*_only(config, gold=gold, predicted=predicted)))
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
    write_comparison(out / "comparison.html", comparison, (sides[0], sides[1]), names=(files[0], files[1]))
    print_files(out, "comparison.html", "comparison.json")


def _systems(config: DictConfig, out: Path) -> None:
    """Set ways of labelling the same documents beside each other."""
    schema: Schema = instantiate(config.schema)
    (gold,) = _only(config, gold=_documents(config.gold, labels=schema.labels))
    candidates = []
    given = config.systems
    for at in system_folders(OmegaConf.to_container(given, resolve=True) if OmegaConf.is_config(given) else given):
        system = read_system(at, gold, price_per_hour=config.price_per_hour)
        if system.others:
            _say(f"{system.name}: {system.others:,} documents that are not among the gold ones are left out")
        candidates.append(candidate_of(system, schema.labels, seed=config.seed, resamples=config.resamples))
    ranking = rank(candidates, seed=config.seed, resamples=config.resamples)
    write_json(out / "systems.json", systems_json(ranking))
    with atomic_writer(out / "systems.md") as file:
        file.write(systems_markdown(ranking).encode("utf-8", errors="replace"))
    write_systems(out / "systems.html", ranking)
    console.print(systems_table(ranking))
    for job in ranking.jobs:
        _say(f"{job.name}: {'; '.join((job.model.by, *job.model.notes))}")
    print_files(out, "systems.html", "systems.md", "systems.json")


def _only(config: DictConfig, **sets: list[Document]) -> list[list[Document]]:
    """Of each set the documents whose ids stand in the file ``only``, and a word on how many that leaves."""
    if not config.only:
        return list(sets.values())
    wanted = {document.id for document in read_documents(Path(config.only))}
    kept = {name: [document for document in own if document.id in wanted] for name, own in sets.items()}
    for name, own in kept.items():
        _say(f"{name}: {len(own):,} of {len(sets[name]):,} documents are in {config.only}")
    if not all(kept.values()):
        raise ConfigError(f"only={config.only} leaves no document to score")
    return list(kept.values())


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
