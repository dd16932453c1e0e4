"""Training a tagger with the ``transformers`` Trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import EarlyStoppingCallback, PrinterCallback, ProgressCallback, Trainer, TrainingArguments, set_seed
from transformers.utils import logging as transformers_logging

from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from kazu_distill.tagger.device import Precision, resolve_device, resolve_precision
from kazu_distill.tagger.encoder import Encoder
from kazu_distill.tagger.examples import Collator, Conversion, windows_table
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.loss import multilabel_loss
from kazu_distill.tagger.tagger import Tagger, TaggerSettings

Score = Callable[[int, float, list[Document]], Mapping[str, float]]
"""Given step, epoch and the labelled eval documents: named figures, among them ``mean_f1``, by which is selected."""


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
        out: checkpoints, windows and TensorBoard's events go below it.

    Raises:
        ConfigError: the encoder, the device or an argument is not usable, or there is nothing to train on.
    """
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # of saving and loading; the bar of the training stays
    datasets.disable_progress_bars()
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
    run = _TaggerTrainer(
        tagger=tagger,
        score=score,
        documents=evaluation,
        model=model,
        args=arguments,
        train_dataset=table,
        data_collator=Collator(padding=tokenizer.pad_token_id, tags=len(scheme.tags), device=tagger.device),
        callbacks=[EarlyStoppingCallback(early_stopping_patience=trainer.patience), _QuietProgress()],
    )
    run.remove_callback(ProgressCallback)
    run.remove_callback(PrinterCallback)
    run.train()
    return tagger, conversion


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
        num_items_in_batch: Any = None,  # noqa: ARG002 - the Trainer passes it
    ) -> Any:
        """The multi-label loss of a batch of ``Collator``."""
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = multilabel_loss(outputs.logits, inputs["targets"], inputs["weights"])
        return (loss, outputs) if return_outputs else loss

    def evaluate(
        self,
        eval_dataset: Any = None,  # noqa: ARG002 - there is one set of evaluation documents
        ignore_keys: list[str] | None = None,  # noqa: ARG002 - the Trainer passes it
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Label the evaluation documents as a user would, windows and all, and score them."""
        labelled = list(self._tagger.predict(self._documents, source=f"step {self.state.global_step}"))
        figures = self._score(self.state.global_step, self.state.epoch or 0.0, labelled)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class _QuietProgress(ProgressCallback):
    """The progress bar, without printing every logged figure; these are in TensorBoard and the metrics files."""

    def on_log(self, *_: Any, **__: Any) -> None:
        """Print nothing."""
