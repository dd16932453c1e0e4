"""Runs the plain ``transformers`` recipe on a job of the benchmarks: ``python scripts/bench_plain.py JOB RESULT``.

Training is the library's token-classification example with a multi-label loss: fp32, a fixed number of windows a batch
in random order, padded to the longest, stock dropout. Prediction is the token-classification pipeline with stride. It
imports no kazu_distill.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from bench_jobs import Predicted, PredictJob, Trained, TrainJob, peak_bytes, records, serve
from bench_probe import probed
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    pipeline,
    set_seed,
)

_UNTRAINED = -100.0


def train(job: TrainJob) -> Trained:
    """Train with the stock Trainer; a tag a class and ``O``, first pieces of words."""
    set_seed(job.seed)
    tags = [*job.labels, "O"]
    tokenizer = AutoTokenizer.from_pretrained(job.encoder)
    model = AutoModelForTokenClassification.from_pretrained(
        job.encoder, id2label=dict(enumerate(tags)), label2id={tag: index for index, tag in enumerate(tags)}
    )
    rows = [
        row
        for record in records(Path(job.data) / "train.jsonl")
        for section in record["sections"]
        for row in windows(section, tokenizer, tags, job)
    ]
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=job.out,
            num_train_epochs=job.epochs,
            per_device_train_batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            warmup_steps=0.1,
            seed=job.seed,
            eval_strategy="no",
            save_strategy="no",
            remove_unused_columns=False,
            disable_tqdm=True,
        ),
        train_dataset=rows,
        data_collator=Collator(tokenizer),
        compute_loss_func=loss,
    )
    with probed(tokenizer, model.config.vocab_size) as probe:
        trainer.train()
    folder = Path(job.out) / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return probe.measured(warm_up=job.warm_up, model=str(folder))


def windows(section: dict[str, Any], tokenizer: Any, tags: Sequence[str], job: TrainJob) -> Iterator[dict[str, Any]]:
    """The windows of a section, with labels ``(tokens, tags)``."""
    encoded = tokenizer(
        section["text"],
        max_length=job.max_length,
        stride=job.stride,
        truncation=True,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    for number, input_ids in enumerate(encoded["input_ids"]):
        labels = torch.full((len(input_ids), len(tags)), _UNTRAINED)
        before = None
        offsets = encoded["offset_mapping"][number]
        for token, (word, (start, end)) in enumerate(zip(encoded.word_ids(number), offsets, strict=True)):
            if word is not None and word != before:
                own = {span["label"] for span in section["spans"] if span["start"] < end and start < span["end"]}
                labels[token] = torch.tensor([float(tag in (own or {"O"})) for tag in tags])
            before = word
        yield {"input_ids": input_ids, "attention_mask": encoded["attention_mask"][number], "labels": labels}


class Collator:
    """Pads to the longest of the batch, as ``DataCollatorForTokenClassification`` does; labels have tags."""

    def __init__(self, tokenizer: Any) -> None:
        self._inputs = DataCollatorWithPadding(tokenizer)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """``input_ids`` and ``attention_mask``: ``(batch, tokens)``; ``labels``: ``(batch, tokens, tags)``."""
        names = ("input_ids", "attention_mask")
        batch: dict[str, Tensor] = dict(self._inputs([{name: row[name] for name in names} for row in rows]))
        labels = [row["labels"] for row in rows]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=_UNTRAINED)
        return batch


def loss(outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
    """Binary cross-entropy, the mean over trained words and tags."""
    trained = labels != _UNTRAINED
    total = binary_cross_entropy_with_logits(outputs.logits[trained], labels[trained], reduction="sum")
    return total / (trained.sum() if num_items_in_batch is None else num_items_in_batch)


def predict(job: PredictJob) -> Predicted:
    """Label documents with the pipeline. Its softmax chooses one tag a word; that takes no less time."""
    tokenizer = AutoTokenizer.from_pretrained(job.model)
    tokenizer.model_max_length = job.max_length  # the length of its windows
    label: Any = pipeline(
        "token-classification",
        model=job.model,
        tokenizer=tokenizer,
        stride=job.stride,
        aggregation_strategy="first",
        batch_size=job.batch_size or 1,
    )
    if job.warm_up:
        list(label(texts(job.warm_up)))
    count = words = spans = 0
    begun, cpu_begun = perf_counter(), process_time()
    found = iter(label(texts(job.documents)))
    with Path(job.out).open("w", encoding="utf-8") as file:
        for record in records(job.documents):
            for section in record["sections"]:
                section["spans"] = [
                    {"start": int(each["start"]), "end": int(each["end"]), "label": each["entity_group"]}
                    for each in next(found)
                ]
                words += len(section["text"].split())
                spans += len(section["spans"])
            count += 1
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return Predicted(count, words, spans, perf_counter() - begun, process_time() - cpu_begun, peak_bytes())


def texts(documents: str) -> Iterator[str]:
    """The texts of a file of documents."""
    return (section["text"] for record in records(documents) for section in record["sections"])


if __name__ == "__main__":
    serve(train, predict)
