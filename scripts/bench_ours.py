"""Runs kazu_distill on a job of the benchmarks: ``python scripts/bench_ours.py JOB RESULT``.

Trains by the stage's own command; labels documents by ``Tagger``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench_jobs import Predicted, PredictJob, Trained, TrainJob, peak_bytes, serve
from bench_probe import probed
from transformers import AutoConfig, AutoTokenizer

import kazu_distill.train
from kazu_distill.document_files import document_line, read_documents
from kazu_distill.documents import Document
from kazu_distill.tagger.tagger import Tagger


def train(job: TrainJob) -> Trained:
    """Train as ``python -m kazu_distill.train`` does. Batches, precision and schedule are our own."""
    sys.argv[1:] = [
        "--config-path", "conf", f"data={job.data}", f"out={job.out}", f"seed={job.seed}",
        f"tagger.max_length={job.max_length}", f"tagger.stride={job.stride}", "label_studio=off",
        f"trainer.arguments.num_train_epochs={job.epochs}", *job.overrides,
    ]  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(job.encoder)
    with probed(tokenizer, AutoConfig.from_pretrained(job.encoder).vocab_size) as probe:
        kazu_distill.train.main()
    return probe.measured(warm_up=job.warm_up, model=str(Path(job.out) / "model"))


def predict(job: PredictJob) -> Predicted:
    """Label documents; one at a time, where that is asked for."""
    runtime: dict[str, Any] = {} if job.runtime == "torch" else {"runtime": job.runtime}
    tagger = Tagger.from_pretrained(job.model, precision=job.precision, **runtime)

    def labelled(documents: Iterable[Document]) -> Iterator[Document]:
        if not job.one_by_one:
            return tagger.label(documents)
        return (each for document in documents for each in tagger.label([document]))

    if job.warm_up:
        list(labelled(read_documents(Path(job.warm_up))))
    count = words = spans = 0
    begun, cpu_begun = perf_counter(), process_time()
    with Path(job.out).open("wb") as file:
        for document in labelled(read_documents(Path(job.documents))):
            words += sum(len(section.text.split()) for section in document.sections)
            spans += len(document.spans)
            count += 1
            file.write(document_line(document))
    return Predicted(count, words, spans, perf_counter() - begun, process_time() - cpu_begun, peak_bytes())


if __name__ == "__main__":
    serve(train, predict)
