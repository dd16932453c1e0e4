"""The jobs of a sweep as one ranking: what each model reaches, and what it takes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kazu_distill.document_files import atomic_writer
from kazu_distill.scoring.intervals import Interval, figures, paired_intervals
from kazu_distill.scoring.model_figures import ModelFigures, figures_from_json
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.tally import Tally, sides_of, tally

JOB = "job.npz"
"""What a job leaves for the others, beside its ``metrics.json`` and ``model.json``."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a sweep: the settings that it was given, what its predictions reach, and the model that made them."""

    settings: tuple[str, ...]
    documents: tuple[str, ...]
    strict: Tally
    intervals: Mapping[str, Interval]
    model: ModelFigures | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A job in the ranking.

    Args:
        name: what tells it from the others.
        figures: strict ones by name; None where one has no meaning.
        intervals: 95 % intervals of them.
        differences: 95 % intervals of its figures less those of the best; None for the best itself, and for a job whose
            gold is another.
        model: size and speed; None where predictions were given.
    """

    name: str
    figures: Mapping[str, float | None]
    intervals: Mapping[str, Interval]
    differences: Mapping[str, Interval] | None
    model: ModelFigures | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Jobs by mean F1, the best first.

    Args:
        labels: the classes of the best.
        documents: on which the best was scored.
        jobs: the jobs.
        same_gold: whether all were scored against the same gold; if not, the figures cannot be set side by side.
    """

    labels: tuple[str, ...]
    documents: int
    jobs: Sequence[Ranked]
    same_gold: bool


def save_job(folder: Path, settings: Sequence[str], pairs: Sequence[Pair], labels: Sequence[str]) -> None:
    """Leave beside a job's results what a comparison with others needs: counts by document."""
    counts = tally(sides_of(pairs, labels), "strict").counts
    ids = [gold.id for gold, _ in pairs]
    # As JSON, since an array of strings is as wide as its longest.
    said = np.frombuffer(json.dumps([list(settings), list(labels), ids]).encode(), dtype=np.uint8)
    packed = io.BytesIO()
    np.savez_compressed(packed, said=said, counts=counts)
    with atomic_writer(folder / JOB) as file:
        file.write(packed.getvalue())


def read_jobs(folder: Path, *, since: float) -> list[Job]:
    """The jobs that are done, in the order of their folders' names.

    Args:
        folder: of the sweep; each job has a folder of its own in it.
        since: when the sweep began, in seconds of the epoch; older results are of an earlier one.
    """
    found = [
        path.parent
        for path in sorted(folder.glob(f"*/{JOB}"), key=lambda path: (len(path.parent.name), path.parent.name))
    ]
    return [_read_job(each, since) for each in found if (each / JOB).stat().st_mtime >= since]


def rank(jobs: Sequence[Job], *, seed: int, resamples: int) -> Ranking:
    """Rank jobs by mean F1, with what each is behind the best on the same resamples of documents.

    Raises:
        ValueError: there is none.
    """
    names = _names(jobs)
    reached = [_figures(job.strict) for job in jobs]
    order = sorted(range(len(jobs)), key=lambda number: -(reached[number]["mean_f1"] or 0.0))
    best = jobs[order[0]]
    ranked = [
        Ranked(
            name=names[number],
            figures=reached[number],
            intervals=jobs[number].intervals,
            differences=paired_intervals(best.strict, jobs[number].strict, seed=seed, resamples=resamples)
            if jobs[number] is not best and _same_gold(best, jobs[number])
            else None,
            model=jobs[number].model,
        )
        for number in order
    ]
    return Ranking(best.strict.labels, len(best.documents), ranked, all(_same_gold(best, job) for job in jobs))


def _read_job(folder: Path, since: float) -> Job:
    with np.load(folder / JOB, allow_pickle=False) as saved:
        settings, labels, documents = json.loads(saved["said"].tobytes())
        strict = Tally(tuple(labels), saved["counts"])
    intervals: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["intervals_95"]
    model = folder / "model.json"
    return Job(
        settings=tuple(settings),
        documents=tuple(documents),
        strict=strict,
        intervals={name: Interval(**interval) for name, interval in intervals.items()},
        model=figures_from_json(json.loads(model.read_text(encoding="utf-8")))
        if model.is_file() and model.stat().st_mtime >= since
        else None,
    )


def _figures(strict: Tally) -> dict[str, float | None]:
    reached = figures(strict.counts.sum(axis=0), strict.labels)
    return {name: None if np.isnan(value) else float(value) for name, value in reached.items()}


def _same_gold(one: Job, other: Job) -> bool:
    return (
        one.documents == other.documents
        and one.strict.labels == other.strict.labels
        and np.array_equal(one.strict.counts[:, :, 2], other.strict.counts[:, :, 2])
    )


def _names(jobs: Sequence[Job]) -> list[str]:
    """Of each job the settings that not all have, without their key where that is the same for all."""
    common = set.intersection(*(set(job.settings) for job in jobs)) if len(jobs) > 1 else set()
    own = [[setting for setting in job.settings if setting not in common] for job in jobs]
    keys = {setting.partition("=")[0] for settings in own for setting in settings}
    if len(keys) == 1 and all(len(settings) == 1 for settings in own):
        return [settings[0].partition("=")[2] for settings in own]
    return [", ".join(settings) or f"job {number}" for number, settings in enumerate(own)]
