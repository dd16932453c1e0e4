"""Train a small tagger on labelled documents: ``python -m kazu_distill.train --config-path conf``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.console import console, print_files, progress_bar, write_json
from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.label_studio.background import BackgroundPushes
from kazu_distill.label_studio.sample import Candidate, sample
from kazu_distill.models.hub import check_repository, push_or_warn
from kazu_distill.models.threads import limit_threads
from kazu_distill.schema import Schema
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.table import score_table
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.splitting.human import combine
from kazu_distill.stage import save_config, stage_main
from kazu_distill.tagger.alignment import AlignmentCounts
from kazu_distill.tagger.card import LabelledData, labelled_data, model_card
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.saved import save_parts
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.thresholds import ThresholdTuning
from kazu_distill.tagger.trainer import Score
from kazu_distill.tagger.training import Trained, findable, train_tagger
from kazu_distill.training_run import is_first_process, keep_evaluation

_log = logging.getLogger(__name__)
Push = Callable[[Sequence[Document], str | None], None]
"""Shows documents in Label Studio, at once or later, as a model version or (None) as gold."""


@stage_main(config_name="train")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out, data = Path(config.out), Path(config.data)
    limit_threads()
    console.quiet = not is_first_process()
    if config.push_to_hub:
        check_repository(config.push_to_hub)
    schema: Schema = instantiate(config.schema)
    encoder: Encoder = instantiate(config.encoder)
    settings: TaggerSettings = instantiate(config.tagger)
    tuning: ThresholdTuning | None = instantiate(config.thresholds)
    learnt = _learnt(config, schema)
    train = labelled_data(read_documents(learnt, labels=schema.labels))  # a stream: it may be large
    evaluation = findable(read_documents(data / "eval.jsonl", labels=schema.labels), threshold=settings.threshold)
    selected_by = labelled_data(evaluation)
    for path, labelled in ((learnt, train), (data / "eval.jsonl", selected_by)):
        _require_entities(path, labelled)
    console.print(f"train: {train.documents:,} documents, eval: {len(evaluation):,} documents")
    with _pushing(config, schema, evaluation, out) as push:
        push(evaluation, None)
        with progress_bar(unit="steps") as progress:
            windows = progress.add_task("windows", total=None, visible=False, unit="MB")
            task = progress.add_task("train", total=None, visible=False)
            trained = train_tagger(
                encoder=encoder,
                schema=schema,
                scheme=label_scheme(config.labels.scheme, schema.labels),
                settings=settings,
                trainer=instantiate(config.trainer, _convert_="all"),
                train=[learnt],
                evaluation=evaluation,
                score=_scorer(evaluation, schema, out, push),
                on_step=lambda step, total: progress.update(task, completed=step, total=total, visible=True),
                on_windows=lambda done, total: progress.update(
                    windows, completed=done >> 20, total=total >> 20, visible=done < total
                ),
                on_resume=lambda checkpoint: console.print(f"going on from {checkpoint.name}", markup=False),
                out=out,
            )
            stopped_early = progress.tasks[task].completed < (progress.tasks[task].total or 0)
        if not is_first_process():
            return
        if stopped_early:
            console.print("stopped early: mean F1 got no better (trainer.early_stopping)")
        _warn_of_lost_spans(trained.alignment)
        trained, metrics = _save(trained, evaluation, tuning, out)
        save_config(config, out / "model/training.yaml")
        card = _card(trained, encoder, metrics, train, selected_by, title=config.push_to_hub)
        (out / "model/README.md").write_text(card, encoding="utf-8")
        console.print(score_table(metrics, schema.labels, title=f"eval, best model (step {trained.best_step})"))
        if not metrics["mean_f1"]:
            _log.warning("the model finds no entity rightly: train longer, or raise encoder.learning_rate")
        print_files(out, "model", "metrics.json", "evaluations", "tensorboard")
        if config.push_to_hub and (address := push_or_warn(out / "model", config.push_to_hub)):
            console.print(f"Hub: {address}", markup=False, soft_wrap=True)


def _learnt(config: DictConfig, schema: Schema) -> Path:
    """The file of what is learnt: the split's, or with ``gold`` one that has people's labels in place of the silver."""
    data, into = Path(config.data), Path(config.out) / "train.jsonl"
    silver = data / "train.jsonl"
    if not config.gold:
        return silver
    held_out = [data / "eval.jsonl", data / "test.jsonl"]
    # Each of several processes writes the same file, whole.
    combined = combine(silver, Path(config.gold), held_out=held_out, into=into, labels=schema.labels)
    if not combined.human:
        raise ConfigError(
            f"gold={config.gold} has no document to learn: its {combined.held_out:,} are all, by id or text, in "
            f"eval.jsonl or test.jsonl of {data}"
        )
    console.print(f"gold: {combined.human:,} documents with people's labels", markup=False)
    if combined.held_out:
        console.print(f"gold: {combined.held_out:,} left out, which are (by id or text) in eval.jsonl or test.jsonl")
    return into


def _save(
    trained: Trained, evaluation: Sequence[Document], tuning: ThresholdTuning | None, out: Path
) -> tuple[Trained, Metrics]:
    """Write the model and what it reaches on the eval documents; with thresholds tuned on them, if that is wanted."""
    if tuning:
        parts = replace(trained.parts, settings=tuning.tuned(trained.tagger, evaluation))
        tagger = Tagger(runtime=trained.tagger.runtime, parts=parts)
        trained = replace(trained, parts=parts, tagger=tagger)
    parts, labelled = trained.parts, list(trained.tagger.label(evaluation))
    metrics = metrics_of(strict_counts(paired(evaluation, labelled), parts.schema.labels))
    trained.model.save_pretrained(out / "model")
    save_parts(out / "model", parts)
    for folder in (out, out / "model"):
        write_json(folder / "metrics.json", metrics)
    return trained, metrics


def _card(
    trained: Trained,
    encoder: Encoder,
    metrics: Metrics,
    train: LabelledData,
    evaluation: LabelledData,
    *,
    title: str | None,
) -> str:
    """The model card of what was trained."""
    return model_card(
        title=title or f"A tagger for {trained.parts.schema.name}",
        schema=trained.parts.schema,
        settings=trained.parts.settings,
        metrics=metrics,
        train=train,
        evaluation=evaluation,
        base_model=encoder.name_on_hub,
        architecture=trained.model.config.model_type,
        parameters=trained.model.num_parameters(),
        versions={name: version(name) for name in ("kazu-distill", "transformers", "torch")},
    )


def _warn_of_lost_spans(alignment: AlignmentCounts) -> None:
    lost = alignment.overlapping + alignment.wordless
    if lost:
        _log.warning(
            "%d of %d spans in train overlap a surer or longer one of their class, or cover no word: not learnt",
            lost,
            alignment.spans,
        )


def _require_entities(path: Path, data: LabelledData) -> None:
    if not data.by_class.total():
        lacking = "entity" if data.documents else "documents"
        raise ConfigError(f"{path} has no {lacking}: there is nothing to learn or to select by")


@contextmanager
def _pushing(config: DictConfig, schema: Schema, evaluation: Sequence[Document], out: Path) -> Iterator[Push]:
    """Shows documents in Label Studio from the background, where that is wanted; waits at the end for what is left.

    Of the documents only those are handed over that will be shown.
    """
    wanted = config.label_studio
    if not (wanted and is_first_process()):
        yield lambda documents, model_version: None  # noqa: ARG005
        return
    pushes = BackgroundPushes(
        project=instantiate(wanted, schema=schema),
        title=wanted.title,
        outbox=out / "label_studio",
        on_shown=lambda pushed: console.print(f"Label Studio: {pushed.url}", markup=False, soft_wrap=True),
        say=lambda sentence: console.print(sentence, markup=False, soft_wrap=True),
    )
    candidates = [Candidate.of(document) for document in evaluation]
    shown = None if wanted.max_tasks is None else sample(candidates, size=wanted.max_tasks, seed=wanted.seed)

    def push(documents: Sequence[Document], model_version: str | None) -> None:
        chosen = [document for document in documents if shown is None or document.id in shown]
        pushes.hand_over(chosen, model_version=model_version)

    patience = 0.0  # what is left after an error or an interrupt stays in the outbox
    try:
        yield push
        patience = config.label_studio_patience
    finally:
        pushes.finish(patience=patience)


def _scorer(
    gold: Sequence[Document],
    schema: Schema,
    out: Path,
    push: Push,
) -> Score:
    """What happens at an evaluation: figures into a file, predictions into Label Studio."""

    def score(step: int, epoch: float, labelled: list[Document]) -> Mapping[str, float]:
        metrics = metrics_of(strict_counts(paired(gold, labelled), schema.labels))
        figures = keep_evaluation(out, step, epoch, metrics)
        push(labelled, f"step {step}")
        return figures

    return score


if __name__ == "__main__":
    main()
