"""Training a tagger with the ``transformers`` Trainer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from kazu_distill.tagger.device import Precision, resolve_device, resolve_precision
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.examples import Collator, Conversion, windows_table
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.loss import multilabel_loss
from kazu_distill.tagger.quiet import quieten_libraries
from kazu_distill.tagger.tagger import Tagger, TaggerSettings

Score = Callable[[int, float, list[Document]], Mapping[str, float]]
"""Given step, epoch and the labelled eval documents: named figures, among them ``mean_f1``, by which is selected."""

OnStep = Callable[[int, int], None]
"""Given the number of steps that are done, and of all steps."""


class TrainerSettings:
    """How to train.

    Args:
        arguments: ``transformers.TrainingArguments``, all but what is set here: folders, device, precision, selection.
        patience: evaluations without a better ``mean_f1`` after which training stops.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
    """

    def __init__(
        self, *, arguments: Mapping[str, Any], patience: int, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        if patience < 1:
            raise ConfigError(f"trainer.patience={patience}: at least one evaluation must be waited for")
        self.arguments = dict(arguments)
        self.patience = patience
        self.device = device
        self.precision: Precision = precision

    def training_arguments(self, out: Path) -> TrainingArguments:
        """The Trainer's arguments.

        Raises:
            ConfigError: an argument is unknown or its value is not allowed.
        """
        device = resolve_device(self.device)
        dtype = resolve_precision(self.precision, device)
        if self.arguments.get("eval_strategy") not in ("epoch", "steps"):
            raise ConfigError("trainer.arguments.eval_strategy: choose epoch or steps; the best model is chosen by it")
        if self.arguments.get("per_device_train_batch_size", 8) < 1:
            raise ConfigError("trainer.arguments.per_device_train_batch_size must be at least 1")
        try:
            return TrainingArguments(
                output_dir=str(out / "checkpoints"),
                use_cpu=device.type == "cpu",
                bf16=dtype is torch.bfloat16,
                fp16=dtype is torch.float16,
                metric_for_best_model="mean_f1",
                greater_is_better=True,
                load_best_model_at_end=True,
                remove_unused_columns=False,
                length_column_name="length",
                dataloader_pin_memory=device.type == "cuda",
                **self.arguments,
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(f"trainer.arguments: {error}") from error


def train_tagger(
    *,
    encoder: Encoder,
    schema: Schema,
    settings: TaggerSettings,
    trainer: TrainerSettings,
    train: Sequence[Document],
    evaluation: Sequence[Document],
    score: Score,
    on_step: OnStep,
    out: Path,
) -> tuple[Tagger, Conversion]:
    """Train a tagger and give back the best one by ``mean_f1`` over the evaluation documents.

    Args:
        encoder: what to start from.
        schema: the classes.
        settings: windows and threshold.
        trainer: how to train.
        train: documents with spans.
        evaluation: documents on which the best model is selected.
        score: called at every evaluation.
        on_step: called after every step, to show progress.
        out: checkpoints, windows and TensorBoard's events go below it.

    Raises:
        ConfigError: the encoder, the device or an argument is not usable, or there is nothing to train on.
    """
    quieten_libraries()
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / "tensorboard")  # the Trainer takes it from nowhere else
    arguments = trainer.training_arguments(out)
    set_seed(arguments.seed)
    scheme = LabelScheme(schema.labels)
    model, tokenizer = encoder.load(scheme)
    tagger = Tagger(
        model=model,
        tokenizer=tokenizer,
        schema=schema,
        settings=settings,
        device=trainer.device,
        precision=trainer.precision,
    )
    table, conversion = windows_table(train, windower=tagger.windower, scheme=scheme, cache=out / "windows")
    if not conversion.spans:
        raise ConfigError("the training documents have no entity, so there is nothing to learn")
    shutil.rmtree(out / "checkpoints", ignore_errors=True)  # those of an earlier run would be mistaken for ours
    run = _TaggerTrainer(
        tagger=tagger,
        score=score,
        documents=evaluation,
        model=model,
        args=arguments,
        train_dataset=table,
        data_collator=Collator(
            padding=tokenizer.pad_token_id, tags=len(scheme.tags), device=tagger.device, longest=settings.max_length
        ),
        callbacks=[_Patience(early_stopping_patience=trainer.patience), _Progress(on_step)],
    )
    for own_output in (ProgressCallback, PrinterCallback):  # the caller says how progress is shown
        run.remove_callback(own_output)
    run.train()
    # The best model is in memory; optimizer states and windows are large and of no more use.
    for folder in ("checkpoints", "windows"):
        shutil.rmtree(out / folder, ignore_errors=True)
    return tagger, conversion


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


class _Patience(EarlyStoppingCallback):
    """Loses patience only after something has been found: a new head finds nothing for a while."""

    def check_metric_value(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, metric_value: float
    ) -> None:
        if metric_value > 0 or state.best_metric:
            super().check_metric_value(args, state, control, metric_value)  # type: ignore[no-untyped-call]


class _Progress(TrainerCallback):
    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._on_step(state.global_step, state.max_steps)


class _TaggerTrainer(Trainer):
    """The Trainer with our loss, and with documents in place of batches at evaluation."""

    def __init__(self, *, tagger: Tagger, score: Score, documents: Sequence[Document], **arguments: Any) -> None:
        super().__init__(eval_dataset=documents, **arguments)
        self._tagger = tagger
        self._score = score
        self._documents = documents
        # Our loss is a mean over its batch; told so, the Trainer divides it right under gradient accumulation.
        self.model_accepts_loss_kwargs = False

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The multi-label loss of a batch of ``Collator``."""
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = multilabel_loss(outputs.logits, inputs["targets"], inputs["weights"])
        return (loss, outputs) if return_outputs else loss

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Label the evaluation documents as a user would, windows and all, and score them."""
        labelled = list(self._tagger.predict(self._documents, source=f"step {self.state.global_step}"))
        figures = self._score(self.state.global_step, self.state.epoch or 0.0, labelled)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics
