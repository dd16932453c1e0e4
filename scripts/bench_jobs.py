"""What a benchmark asks of a program that it measures, and what comes back: JSON files between processes.

Ours, the plain recipe and Kazu's run in processes of their own, Kazu's in another environment, so this file imports
the standard library only.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


@dataclass(frozen=True)
class TrainJob:
    """A training to measure.

    ``encoder`` is a folder; ``data`` holds train.jsonl and eval.jsonl; ``out`` is an empty folder. ``batch_size``
    counts windows, ``max_length`` and ``stride`` tokens. The first ``warm_up`` steps are not measured. ``overrides``
    are for the command line of ours.
    """

    encoder: str
    data: str
    out: str
    labels: list[str]
    epochs: int
    batch_size: int
    max_length: int
    stride: int
    learning_rate: float
    seed: int
    warm_up: int
    overrides: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trained:
    """What the measured steps of a training took: steps, seconds, seconds of CPU over all threads.

    ``tokens`` are those of real text; ``input_tokens`` has special and padding tokens as well. ``model`` is a folder
    that ``transformers`` loads, ``peak_bytes`` the most memory that the process had.
    """

    steps: int
    seconds: float
    cpu_s: float
    tokens: int
    input_tokens: int
    model: str
    peak_bytes: int = 0


@dataclass(frozen=True)
class PredictJob:
    """A prediction to measure: ``documents`` is a file of ours, ``out`` the file to write.

    The file ``warm_up`` is predicted before the clock starts. ``batch_size`` counts windows (0: what the program does
    by itself). ``runtime`` and ``precision`` are for ours.
    """

    model: str
    documents: str
    out: str
    max_length: int
    stride: int
    batch_size: int
    warm_up: str
    runtime: str = "torch"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    one_by_one: bool = False


@dataclass(frozen=True)
class Predicted:
    """What a prediction took, with the reading and the writing of the documents; loading the model is left out."""

    documents: int
    words: int
    spans: int
    seconds: float
    cpu_s: float
    peak_bytes: int = 0


def read_job(path: str) -> TrainJob | PredictJob:
    """The job of a file."""
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    return (TrainJob if "epochs" in values else PredictJob)(**values)


def write_values(path: Path, values: Any) -> None:
    """A job or a result as a file."""
    path.write_text(json.dumps(asdict(values)), encoding="utf-8")


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def records(path: str | Path) -> Iterator[dict[str, Any]]:
    """The documents of a JSONL file of ours, as plain values, one after the other."""
    with Path(path).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def serve(train: Any, predict: Any) -> None:
    """Be such a program: ``python PROGRAM JOB RESULT`` does the job of one file and writes what it took to another."""
    job_file, result_file = sys.argv[1:]
    job = read_job(job_file)
    write_values(Path(result_file), train(job) if isinstance(job, TrainJob) else predict(job))
