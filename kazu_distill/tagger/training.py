"""Training a tagger: documents in, the best tagger out."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import set_seed

from kazu_distill.document_files import document_line
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.models.checkpoints import resumable
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.models.trainer import OnStep
from kazu_distill.schema import Schema
from kazu_distill.tagger.alignment import AlignmentCounts
from kazu_distill.tagger.batches import Collator, TokenBatches
from kazu_distill.tagger.cpu_training import speed_up
from kazu_distill.tagger.encoder import Encoder, check_length
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.padding import length_multiple
from kazu_distill.tagger.runtime import TorchRuntime
from kazu_distill.tagger.saved import TaggerParts
from kazu_distill.tagger.settings import TaggerSettings
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.trainer import Score, TaggerTrainer
from kazu_distill.tagger.trainer_settings import TrainerSettings
from kazu_distill.tagger.windows_table.table import OnProgress, WindowsTable, windows_table


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives: the best tagger, its model, the step that it is of, and how spans became labels."""

    tagger: Tagger
    parts: TaggerParts
    model: Any
    best_step: int
    alignment: AlignmentCounts


def train_tagger(
    *,
    encoder: Encoder,
    schema: Schema,
    scheme: LabelScheme,
    settings: TaggerSettings,
    trainer: TrainerSettings,
    train: Sequence[Path],
    evaluation: Sequence[Document],
    score: Score,
    on_step: OnStep,
    out: Path,
    on_windows: OnProgress = lambda done, total: None,  # noqa: ARG005
    on_resume: Callable[[Path], None] = lambda checkpoint: None,  # noqa: ARG005
) -> Trained:
    """Train a tagger and give back the best one by ``mean_f1`` over the evaluation documents.

    A run that was killed goes on from its last checkpoint when it is started again with the same data and settings.

    Args:
        encoder: what to start from.
        schema: the classes.
        scheme: how spans are written as tags.
        settings: windows and threshold.
        trainer: how to train.
        train: JSONL files of documents with spans.
        evaluation: documents on which the best model is selected.
        score: called at every evaluation.
        on_step: called after every step, to show progress.
        out: checkpoints, windows and TensorBoard's events go below it.
        on_windows: called with the bytes of ``train`` that are made into windows, and all, to show progress.
        on_resume: told of the checkpoint from which a run goes on.

    Raises:
        ConfigError: the encoder, the device or an argument is not usable, or there is nothing to train on.
        CorpusError: a file of documents has a broken record.
    """
    quieten_libraries()
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / "tensorboard")  # the Trainer takes it from nowhere else
    arguments = trainer.training_arguments(out)
    set_seed(arguments.seed)
    model, tokenizer = encoder.load(scheme)
    check_length(model, settings.max_length)
    parts = TaggerParts(tokenizer, schema, scheme, settings)
    runtime = TorchRuntime(
        model=model,
        padding=tokenizer.pad_token_id,
        longest=settings.max_length,
        device=trainer.device,
        precision=trainer.precision,
    )
    tagger = Tagger(runtime=runtime, parts=parts)
    if runtime.device.type == "cpu":
        speed_up(model)
    with arguments.main_process_first(local=False):  # of several processes the others find what the first has written
        table = windows_table(
            train, windower=tagger.windower, scheme=scheme, cache=out / "windows", on_progress=on_windows
        )
        checkpoint = resumable(out / "checkpoints", _key(encoder, parts, trainer, table, evaluation))
    if not table.alignment.spans:
        raise ConfigError("the training documents have no entity, so there is nothing to learn")
    if checkpoint:
        on_resume(checkpoint)
    batches = TokenBatches(
        np.asarray(table.rows.with_format("numpy")["length"][:]),
        batch_tokens=trainer.batch_tokens,
        seed=arguments.seed,
        rank=arguments.process_index,
        processes=arguments.world_size,
    )
    trainer.settle(arguments, steps_per_epoch=math.ceil(len(batches) / arguments.gradient_accumulation_steps))
    run = TaggerTrainer(
        tagger=tagger,
        score=score,
        documents=evaluation,
        batches=batches,
        loss=trainer.loss,
        model=model,
        args=arguments,
        train_dataset=table.rows,
        data_collator=Collator(
            padding=tokenizer.pad_token_id,
            scheme=scheme,
            tokens_behind=tagger.windower.tokens_behind,
            multiple=length_multiple(runtime.device),
            longest=settings.max_length,
        ),
        callbacks=[trainer.early_stopping],
    )
    run.show_progress_by(on_step)
    run.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # The best model is in memory, of every process; optimizer states are large and of no more use.
    run.accelerator.wait_for_everyone()
    if arguments.process_index == 0:
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    best_step = run.state.best_global_step or run.state.global_step
    return Trained(tagger, parts, model, best_step, table.alignment)


def _key(
    encoder: Encoder, parts: TaggerParts, trainer: TrainerSettings, table: WindowsTable, evaluation: Sequence[Document]
) -> str:
    """Names everything that the trained weights depend on."""
    said = {
        "encoder": asdict(encoder),
        "tags": parts.scheme.tags,
        "settings": asdict(parts.settings),
        "batch_tokens": trainer.batch_tokens,
        "focus": trainer.loss.focus,
        "early_stopping": trainer.early_stopping.state()["args"],
        "arguments": trainer.arguments,
        "precision": trainer.precision,
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
        "data": [table.key, *(hashlib.sha256(document_line(document)).hexdigest() for document in evaluation)],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def findable(documents: Iterable[Document], *, threshold: float) -> list[Document]:
    """The documents with those of their spans that a student is taught to find.

    A span's score is the target of its tags: a student that has learnt a span of a score at or below the decoding
    threshold does not find it, so an evaluation that asked for it would select the student that has learnt less well.
    """
    return [
        document.with_spans(
            [tuple(span for span in section.spans if span.score > threshold) for section in document.sections]
        )
        for document in documents
    ]
