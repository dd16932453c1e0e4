"""Train a small tagger on labelled documents: ``python -m kazu_distill.train --config-path conf``."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.console import console, print_files, progress_bar, write_json
from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.project import LabelStudioProject, Pushed
from kazu_distill.schema import Schema
from kazu_distill.scoring.counts import strict_counts
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.table import score_table
from kazu_distill.stage import stage_main
from kazu_distill.tagger.tagger import TaggerSettings
from kazu_distill.tagger.training import Score, findable, train_tagger

_log = logging.getLogger(__name__)
Push = Callable[[Sequence[Document], str], Pushed | None]
"""Given documents and a model version, where they are now shown, if they are."""


@stage_main(config_name="train")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out, data = Path(config.out), Path(config.data)
    schema: Schema = instantiate(config.schema)
    settings: TaggerSettings = instantiate(config.tagger)
    train = _documents(data / "train.jsonl", schema)
    evaluation = _documents(data / "eval.jsonl", schema, above=settings.threshold)
    console.print(f"train: {len(train):,} documents, eval: {len(evaluation):,} documents")
    project = instantiate(config.label_studio, schema=schema) if config.label_studio else None
    history: dict[int, Metrics] = {}
    push = _pusher(project)
    if pushed := push(evaluation, "gold"):
        console.print(f"Label Studio: {pushed.url}", soft_wrap=True)
    trainer = instantiate(config.trainer, _convert_="all")
    with progress_bar(unit="steps") as progress:
        task = progress.add_task("train", total=None, visible=False)
        tagger, conversion = train_tagger(
            encoder=instantiate(config.encoder),
            schema=schema,
            settings=settings,
            trainer=trainer,
            train=train,
            evaluation=evaluation,
            score=_scorer(evaluation, schema, out, history, push),
            on_step=lambda step, total: progress.update(task, completed=step, total=total, visible=True),
            out=out,
        )
        stopped_early = progress.tasks[task].completed < (progress.tasks[task].total or 0)
    if stopped_early:
        console.print(f"stopped early: mean F1 got no better in {trainer.patience} evaluations (trainer.patience)")
    if conversion.lost_spans:
        _log.warning(
            "%d of %d spans in train overlap a surer or longer one of their class, or cover no word: not learnt",
            conversion.lost_spans,
            conversion.spans,
        )
    tagger.save(out / "model")
    best = max(history, key=lambda step: history[step]["mean_f1"] or 0.0)
    for folder in (out, out / "model"):
        write_json(folder / "metrics.json", history[best])
    console.print(score_table(history[best], schema.labels, title=f"eval, best model (step {best})"))
    if not history[best]["mean_f1"]:
        _log.warning("the model finds no entity rightly: train longer, or raise encoder.learning_rate")
    print_files(out, "model", "metrics.json", "evaluations", "tensorboard")


def _documents(path: Path, schema: Schema, *, above: float = 0.0) -> list[Document]:
    documents = findable(read_documents(path, labels=schema.labels), threshold=above)
    if not any(document.spans for document in documents):
        raise ConfigError(
            f"{path} has no {'entity' if documents else 'documents'}: there is nothing to learn or to select by"
        )
    return documents


def _pusher(project: LabelStudioProject | None) -> Push:
    """Shows documents in Label Studio; the first failure is warned of, and then the run does without."""

    def push(documents: Sequence[Document], model_version: str) -> Pushed | None:
        nonlocal project
        if project is None:
            return None
        try:
            return project.push(documents, model_version=model_version)
        except LabelStudioError as error:
            project = None
            _log.warning("%s. Training goes on without Label Studio.", str(error).rstrip("."))
            return None

    return push


def _scorer(
    gold: Sequence[Document],
    schema: Schema,
    out: Path,
    history: dict[int, Metrics],
    push: Push,
) -> Score:
    """What happens at an evaluation: figures into a file and the history, predictions into Label Studio."""

    def score(step: int, epoch: float, labelled: list[Document]) -> Mapping[str, float]:
        metrics = metrics_of(strict_counts(paired(gold, labelled), schema.labels))
        if not history:
            shutil.rmtree(out / "evaluations", ignore_errors=True)  # of an earlier run, whose steps were others
        history[step] = metrics
        write_json(out / "evaluations" / f"step-{step:06}.json", {"step": step, "epoch": epoch} | metrics)
        push(labelled, f"step {step}")
        push(gold, "gold")  # again, since the newest tab stands first: gold stays beside the latest predictions
        figures = {name: value for name, value in metrics.items() if value is not None}
        mean, micro = (figures.setdefault(name, 0.0) for name in ("mean_f1", "micro_f1"))
        console.print(f"epoch {epoch:.1f}, step {step}: mean F1 {100 * mean:.1f}, micro F1 {100 * micro:.1f}")
        return figures

    return score


if __name__ == "__main__":
    main()
