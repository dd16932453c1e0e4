"""List labels that are probably wrong, by students that have not seen them: ``python -m kazu_distill.suspects``."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.markup import escape
from rich.table import Table

from kazu_distill import __version__
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.document_files import atomic_writer, document_line, read_documents, write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.models.threads import limit_threads
from kazu_distill.schema import Schema
from kazu_distill.scoring.metrics import metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.suspects import Kind, Suspect, suspects, to_review
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.splitting.folds import deal
from kazu_distill.splitting.parts import REST, split_documents
from kazu_distill.stage import stage_main
from kazu_distill.tagger.judging import Judged, judge_spans
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.training import findable, train_tagger

_log = logging.getLogger(__name__)
_GIVEN, _FOUND, _DONE = "given.jsonl", "found.jsonl", "fold.json"
_OTHERS = ("out", "corpus", "show", "hydra", "model")  # settings that no student's judgement depends on


@stage_main(config_name="suspects")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    limit_threads()
    for name in ("folds", "show"):
        require_number(name, config[name], above=1 if name == "folds" else -1, whole=True)
    if config.model:
        tagger = Tagger.from_pretrained(config.model, device=config.device)
        silver = _documents(config, tagger.schema)
        judged = list(judge_spans(tagger, silver, source=str(config.model)))
        schema = tagger.schema
    else:
        schema = instantiate(config.schema)
        silver = _documents(config, schema)
        judged = _judged_by_students(config, schema, silver, out / "folds")
    ranked = suspects(silver, [each.given for each in judged], [each.found for each in judged], schema.labels)
    with atomic_writer(out / "suspects.jsonl") as file:
        for rank, suspect in enumerate(ranked, start=1):
            file.write(orjson.dumps({"rank": rank} | suspect.as_json(), option=orjson.OPT_APPEND_NEWLINE))
    write_documents(out / "documents.jsonl", to_review(silver, ranked))
    _print(ranked, silver, show=config.show)
    print_files(out, "suspects.jsonl", "documents.jsonl")


def _documents(config: DictConfig, schema: Schema) -> list[Document]:
    corpus = instantiate(config.corpus, labels=schema.labels)
    documents = list(corpus)
    print_remarks(corpus)
    if not any(document.spans for document in documents):
        lacking = "labels" if documents else "documents"
        raise ConfigError(f"corpus.path={config.corpus.path} has no {lacking}: there is nothing to suspect")
    return documents


def _judged_by_students(config: DictConfig, schema: Schema, silver: Sequence[Document], out: Path) -> list[Judged]:
    """What is thought of each document, in their order, by a student that has learnt the other folds."""
    folds = deal(silver, folds=config.folds, seed=config.seed)
    key = _key(config, silver)
    judged: dict[str, Judged] = {}
    for number, fold in enumerate(folds, start=1):
        folder = out / str(number)
        if _is_done(folder, key):
            console.print(f"fold {number} of {len(folds)}: judged by an earlier run")
        else:
            console.print(f"fold {number} of {len(folds)}: {len(fold):,} documents")
            own = {document.id for document in fold}
            student = _student(config, schema, [document for document in silver if document.id not in own], folder)
            _keep(list(judge_spans(student, fold, source=f"student of fold {number}")), folder, key)
        judged.update((each.given.id, each) for each in _kept(folder))
    return [judged[document.id] for document in silver]


def _student(config: DictConfig, schema: Schema, documents: Sequence[Document], folder: Path) -> Tagger:
    """A tagger that has learnt the documents, all but those by which its best epoch is chosen."""
    settings: TaggerSettings = instantiate(config.tagger)
    parts = split_documents(documents, shares={"select": config.select}, seed=config.seed)
    wanted = findable(parts["select"], threshold=settings.threshold)
    if not any(document.spans for document in wanted):
        raise ConfigError(
            f"select={config.select}: the {len(wanted):,} documents that choose a student's best epoch have no label; "
            "give more documents, or a larger share"
        )
    write_documents(folder / "train.jsonl", parts[REST])

    def score(_: int, epoch: float, labelled: list[Document]) -> Mapping[str, float]:
        metrics = metrics_of(strict_counts(paired(wanted, labelled), schema.labels))
        figures = {name: metrics[name] or 0.0 for name in ("mean_f1", "micro_f1")}
        console.print(f"epoch {epoch:.1f}: mean F1 {100 * figures['mean_f1']:.1f} against labels that it has not seen")
        return figures

    with progress_bar(unit="steps") as progress:
        task = progress.add_task("train", total=None, visible=False)
        trained = train_tagger(
            encoder=instantiate(config.encoder),
            schema=schema,
            scheme=label_scheme(config.labels.scheme, schema.labels),
            settings=settings,
            trainer=instantiate(config.trainer, _convert_="all"),
            train=[folder / "train.jsonl"],
            evaluation=wanted,
            score=score,
            on_step=lambda step, total: progress.update(task, completed=step, total=total, visible=True),
            on_resume=lambda checkpoint: console.print(f"going on from {checkpoint.name}", markup=False),
            out=folder,
        )
    return trained.tagger


def _key(config: DictConfig, documents: Sequence[Document]) -> str:
    """Names what the judgements depend on: the documents, and every setting but where they come from and go to."""
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    assert isinstance(resolved, dict)
    settings = {name: value for name, value in resolved.items() if name not in _OTHERS}
    digest = hashlib.sha256(json.dumps([settings, __version__], sort_keys=True, default=str).encode())
    for document in documents:
        digest.update(document_line(document))
    return digest.hexdigest()


def _is_done(folder: Path, key: str) -> bool:
    """Whether an earlier run has judged this fold, of the same documents with the same settings."""
    try:
        return bool(json.loads((folder / _DONE).read_bytes())["key"] == key)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _keep(judged: Sequence[Judged], folder: Path, key: str) -> None:
    """Write what a student said of its fold; the key comes last, so that a fold which has one is whole."""
    (folder / _DONE).unlink(missing_ok=True)
    write_documents(folder / _GIVEN, (each.given for each in judged))
    write_documents(folder / _FOUND, (each.found for each in judged))
    write_json(folder / _DONE, {"key": key})
    (folder / "train.jsonl").unlink(missing_ok=True)
    shutil.rmtree(folder / "windows", ignore_errors=True)


def _kept(folder: Path) -> list[Judged]:
    given, found = (read_documents(folder / name) for name in (_GIVEN, _FOUND))
    return [Judged(*both) for both in zip(given, found, strict=True)]


def _print(ranked: Sequence[Suspect], silver: Sequence[Document], *, show: int) -> None:
    """How many there are of each kind, and the first of them."""
    if not any(suspect.student for suspect in ranked) and ranked:
        _log.warning("the students find nothing: let them learn longer (trainer.arguments.num_train_epochs)")
    kinds = Counter(suspect.kind for suspect in ranked)
    counted = ", ".join(f"{kind.value} {kinds[kind]:,}" for kind in Kind if kinds[kind])
    spans = sum(len(document.spans) for document in silver)
    console.print(f"{len(ranked):,} suspects beside {spans:,} labels" + (f": {counted}" if counted else ""))
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("strength", "kind", "label", "student", "document"):
        table.add_column(column, justify="right" if column == "strength" else "left")
    for suspect in ranked[:show]:
        sides = (
            f"{suspect.mistake.mention(span)} ({span.label})" if span else "–"
            for span in (suspect.label, suspect.student)
        )
        cells = (suspect.kind.value, *(" ".join(side.split()) for side in sides), suspect.mistake.document)
        table.add_row(f"{suspect.strength:.2f}", *map(escape, cells))
    if show:
        console.print(table)


if __name__ == "__main__":
    main()
