"""Runs AstraZeneca's Kazu, as it is, on a job of the benchmarks; for the python of scripts/kazu_environment.sh.

    .venv-kazu/bin/python scripts/kazu_peer.py JOB RESULT

Trains with ``kazu.training``'s Trainer, its settings as Kazu ships them but for what the job says, or labels documents
with ``TransformersModelForTokenClassificationNerStep`` and ``use_multilabel``. It imports no kazu_distill.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench_jobs import Predicted, PredictJob, Trained, TrainJob, peak_bytes, records, serve
from bench_probe import probed
from transformers import AutoConfig, AutoTokenizer

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
_AT_ONCE = 10  # documents that Kazu's own scripts give to the step at a time


def train(job: TrainJob) -> Trained:
    """Train with Kazu's Trainer; in place of its evaluation the model is saved, once, at the end."""
    from kazu.training.config import TrainingConfig
    from kazu.training.train_multilabel_ner import KazuMultiHotNerMultiLabelTrainingDataset, ModelSaver, Trainer

    out = Path(job.out)
    model_folder = out / "model"

    class SavingTrainer(Trainer):  # type: ignore[misc]
        def evaluate_model(self, model: Any, global_step: int, save_model: bool = True) -> None:  # noqa: ARG002
            model_folder.mkdir()
            ModelSaver.save_model(self.train_dataset.model_tokenizer, model, model_folder)

    labels = [*job.labels, "O"]
    tokenizer = AutoTokenizer.from_pretrained(job.encoder)
    windows = out / "windows"
    windows.mkdir(parents=True)
    dataset = KazuMultiHotNerMultiLabelTrainingDataset(
        docs_iter=map(kazu_document, records(Path(job.data) / "train.jsonl")),
        model_tokenizer=tokenizer,
        labels=labels,
        tmp_dir=windows,
        max_length=job.max_length,
        use_cache=False,
        max_docs=None,
        stride=job.stride,
    )
    config = TrainingConfig(
        hf_name=job.encoder,
        train_path=Path(job.data),
        test_path=Path(job.data),
        training_data_cache_dir=windows,
        test_data_cache_dir=windows,
        working_dir=out,
        max_length=job.max_length,
        stride=job.stride,
        batch_size=job.batch_size,
        lr=job.learning_rate,
        num_epochs=job.epochs,
        evaluate_at_step_interval=job.epochs * math.ceil(len(dataset) / job.batch_size),
        lr_scheduler_warmup_prop=0.1,
        seed=job.seed,
        use_cache=False,
        max_docs=None,
        test_overfit=False,
        device="cpu",
        workers=0,
    )
    trainer = SavingTrainer(
        training_config=config,
        pretrained_model_name_or_path=job.encoder,
        label_list=labels,
        train_dataset=dataset,
        test_dataset=dataset,
        working_dir=out,
    )
    with probed(tokenizer, AutoConfig.from_pretrained(job.encoder).vocab_size) as probe:
        trainer.train_model()
    return probe.measured(warm_up=job.warm_up, model=str(model_folder))


def predict(job: PredictJob) -> Predicted:
    """Label documents with Kazu's step.

    Raises:
        RuntimeError: it could not label a document; the step itself only makes a note of that.
    """
    from kazu.data import PROCESSING_EXCEPTION
    from kazu.steps.ner.hf_token_classification import TransformersModelForTokenClassificationNerStep
    from kazu.steps.ner.tokenized_word_processor import TokenizedWordProcessor
    from kazu.training.modelling_utils import get_label_list_from_model

    step = TransformersModelForTokenClassificationNerStep(
        path=job.model,
        batch_size=job.batch_size or 16,
        stride=job.stride,
        max_sequence_length=job.max_length,
        tokenized_word_processor=TokenizedWordProcessor(
            labels=get_label_list_from_model(Path(job.model) / "config.json"), use_multilabel=True
        ),
    )

    def labelled(lines: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
        while block := list(islice(lines, _AT_ONCE)):
            documents = [kazu_document(record, labelled=False) for record in block]
            _, failed = step(documents)
            if failed:
                raise RuntimeError(failed[0].metadata[PROCESSING_EXCEPTION])
            yield from zip(block, documents, strict=True)

    if job.warm_up:
        list(labelled(records(job.warm_up)))
    count = words = spans = 0
    begun, cpu_begun = perf_counter(), process_time()
    with Path(job.out).open("w", encoding="utf-8") as file:
        for record, document in labelled(records(job.documents)):
            for section, own in zip(record["sections"], document.sections, strict=True):
                section["spans"] = [
                    {"start": entity.start, "end": entity.end, "label": entity.entity_class} for entity in own.entities
                ]
                words += len(section["text"].split())
                spans += len(own.entities)
            count += 1
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return Predicted(count, words, spans, perf_counter() - begun, process_time() - cpu_begun, peak_bytes())


def kazu_document(record: dict[str, Any], *, labelled: bool = True) -> Any:
    """A document of ours as one of Kazu's."""
    from kazu.data import Document, Entity, Section

    sections = []
    for section in record["sections"]:
        text = section["text"]
        entities = [
            Entity.load_contiguous_entity(
                start=span["start"],
                end=span["end"],
                match=text[span["start"] : span["end"]],
                entity_class=span["label"],
                namespace="kazu_distill",
            )
            for span in (section["spans"] if labelled else ())
        ]
        sections.append(Section(text=text, name=section["name"], entities=entities))
    return Document(idx=record["id"], sections=sections)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        tempfile.tempdir = cache  # Kazu leaves one behind at every start
        serve(train, predict)
