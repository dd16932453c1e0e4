"""Tuning a model: rows in, the best adapter, or the best model, out."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments, set_seed

from kazu_distill.base_llm.errors import OutOfMemory, is_out_of_memory
from kazu_distill.base_llm.settings import Described
from kazu_distill.errors import ConfigError
from kazu_distill.models.checkpoints import resumable
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.models.trainer import OnStep
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.answering import Answering
from kazu_distill.tuning.batches import OneRow, SideBySide
from kazu_distill.tuning.packing import MicroBatches, packed, padded
from kazu_distill.tuning.rows import Row
from kazu_distill.tuning.settings import TuningSettings
from kazu_distill.tuning.trainer import Score, TuningTrainer
from kazu_distill.tuning.vocabulary import grow


@dataclass(frozen=True, slots=True)
class Job:
    """What is tuned, how, and on what.

    Args:
        described: the model; the vocabulary of its tokenizer is already what it shall be.
        added: tokens that were added to it.
        adapter: what is learnt beside the model's weights; None learns all of these.
        settings: how.
        rows: what is learnt.
        answering: the questions of the evaluation.
        data_key: names the contents of rows and questions.
    """

    described: Described
    added: Sequence[int]
    adapter: AdapterSettings | None
    settings: TuningSettings
    rows: Sequence[Row]
    answering: Answering
    data_key: str

    def bins(self, *, seed: int) -> list[list[int]]:
        """The rows of each micro-batch."""
        tokens = self.settings.batch_tokens
        if self.described.is_seq2seq:
            return padded([(len(row.prompt), len(row.answer)) for row in self.rows], batch_tokens=tokens, seed=seed)
        if self.settings.packing:
            return packed([len(row) for row in self.rows], batch_tokens=tokens, seed=seed)
        return [[number] for number in range(len(self.rows))]

    def key(self) -> str:
        """Names everything that the tuned weights depend on."""
        said = {
            "base": asdict(self.described.settings),
            "template": self.described.form.template,
            "added": list(self.added),
            "adapter": self.adapter and asdict(self.adapter),
            "batch_tokens": self.settings.batch_tokens,
            "packing": self.settings.packing,
            "early_stopping": self.settings.early_stopping.state()["args"],
            "arguments": self.settings.arguments,
            "dtype": str(self.described.dtype),
            "processes": int(os.environ.get("WORLD_SIZE", "1")),
            "data": self.data_key,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Tuned:
    """The Trainer, which holds the best model and can save it, and the step that this is of."""

    trainer: TuningTrainer
    best_step: int


def tune_model(
    job: Job,
    *,
    score: Score,
    on_step: OnStep,
    out: Path,
    on_resume: Callable[[Path], None] = lambda checkpoint: None,  # noqa: ARG005
) -> Tuned:
    """Tune a model and keep the best one by ``mean_f1`` over the answers to the questions.

    A run that was killed goes on from its last checkpoint when it is started again with the same data and settings.

    Args:
        job: what is tuned, how, and on what.
        score: called at every evaluation.
        on_step: called after every step, to show progress.
        out: checkpoints and TensorBoard's events go below it.
        on_resume: told of the checkpoint from which a run goes on.

    Raises:
        BaseLLMError: the model cannot be loaded, or the device has not the memory.
        ConfigError: a setting is not usable.
    """
    quieten_libraries()
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / "tensorboard")  # the Trainer takes it from nowhere else
    arguments = job.settings.training_arguments(out, job.described)
    set_seed(arguments.seed)
    with arguments.main_process_first(local=False):  # of several processes the others find what the first has chosen
        checkpoint = resumable(out / "checkpoints", job.key())
    if checkpoint:
        on_resume(checkpoint)
    with out_of_memory_explained(job):
        model = loaded(job, arguments)
        run = TuningTrainer(
            answers=job.answering,
            questions=job.answering.questions,
            score=score,
            batches=MicroBatches(
                job.bins(seed=arguments.seed),
                seed=arguments.seed,
                rank=arguments.process_index,
                processes=arguments.world_size,
            ),
            model=model,
            args=arguments,
            train_dataset=job.rows,
            data_collator=_collator(job.described, model),
            callbacks=[job.settings.early_stopping],
        )
        run.show_progress_by(on_step)
        run.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if run.state.best_global_step is None:  # it ended before the first evaluation
            run.evaluate()
    # The best model is in memory, of every process; optimizer states are large and of no more use.
    run.accelerator.wait_for_everyone()
    if arguments.process_index == 0:
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    return Tuned(run, run.state.best_global_step or run.state.global_step)


def loaded(job: Job, arguments: TrainingArguments) -> Any:
    """The model as it is trained: its vocabulary grown, its adapter on it."""
    described = job.described
    if arguments.fsdp:  # it is dealt out to the devices by the Trainer, and may not fit on one
        if described.settings.load_in_4bit:
            raise ConfigError("trainer.arguments.fsdp: weights of 4 bits are not dealt out; set load_in_4bit=false")
        described = replace(described, device=torch.device("cpu"))
    if job.adapter is None:  # weights that are learnt are kept exactly, whatever they are computed with
        described = replace(described, dtype=torch.float32)
    model = described.load()
    grow(model, job.added, seed=arguments.seed)
    if job.adapter is None:
        model.requires_grad_(True)
    else:
        model = job.adapter.put_on(model, described=described, tokens=job.added, seed=arguments.seed)
    if job.settings.gradient_checkpointing:
        enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        enable({"use_reentrant": False})
    return model


def _collator(described: Described, model: Any) -> OneRow | SideBySide:
    if described.is_seq2seq:
        return SideBySide(padding=described.form.tokenizer.pad_token_id, start=described.config.decoder_start_token_id)
    own = model.get_base_model() if hasattr(model, "get_base_model") else model
    return OneRow(keeps_logits="logits_to_keep" in inspect.signature(own.forward).parameters)


@contextmanager
def out_of_memory_explained(job: Job) -> Iterator[None]:
    """Turn an allocation that fails into an error that says what to lower.

    Raises:
        OutOfMemory: it failed.
    """
    try:
        yield
    except (OutOfMemory, MemoryError, RuntimeError) as error:
        if not isinstance(error, OutOfMemory) and not is_out_of_memory(error):
            raise
        said = " ".join(str(error).split())
        raise OutOfMemory(
            f"{job.described.device.type} has not enough memory ({said[:160]}): lower {', '.join(_lower(job))}, or "
            "choose a smaller model; the same command goes on from its last checkpoint if only the machine changes"
        ) from error


def _lower(job: Job) -> list[str]:
    settings = job.settings
    ways = {
        f"base_llm.tuning.batch_tokens (now {settings.batch_tokens:,})": True,
        "the memory of activations by base_llm.tuning.gradient_checkpointing=true": not settings.gradient_checkpointing,
        "that of weights by base_llm.load_in_4bit=true": (
            job.adapter is not None and job.described.device.type == "cuda" and not job.described.settings.load_in_4bit
        ),
        f"adapter.rank (now {job.adapter.rank if job.adapter else 0})": job.adapter is not None,
        "what is trained by adapter.kind=lora in place of adapter=null": job.adapter is None,
        f"generation_tokens (now {job.answering.batch_tokens:,}) if it was at an evaluation": True,
    }
    return [way for way, helps in ways.items() if helps]
