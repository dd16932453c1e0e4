"""The jobs of a sweep: what each leaves behind, read and ranked."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from kazu_distill.document_files import atomic_writer
from kazu_distill.scoring.intervals import Interval
from kazu_distill.scoring.model_figures import ModelFigures, figures_from_json
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.ranking import Candidate, Ranking, rank
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


SweepRanking: TypeAlias = Ranking[ModelFigures | None]
"""The jobs of a sweep, with the models' sizes and speeds; None where predictions were given."""


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


def rank_jobs(jobs: Sequence[Job], *, seed: int, resamples: int) -> SweepRanking:
    """Rank jobs under names that tell them apart.

    Raises:
        ValueError: there is none.
    """
    candidates = [
        Candidate(name, job.documents, job.strict, job.intervals, job.model)
        for name, job in zip(_names(jobs), jobs, strict=True)
    ]
    return rank(candidates, seed=seed, resamples=resamples)


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


def _names(jobs: Sequence[Job]) -> list[str]:
    """Of each job the settings that not all have, without their key where that is the same for all."""
    common = set.intersection(*(set(job.settings) for job in jobs)) if len(jobs) > 1 else set()
    own = [[setting for setting in job.settings if setting not in common] for job in jobs]
    keys = {setting.partition("=")[0] for settings in own for setting in settings}
    if len(keys) == 1 and all(len(settings) == 1 for settings in own):
        return [settings[0].partition("=")[2] for settings in own]
    return [", ".join(settings) or f"job {number}" for number, settings in enumerate(own)]
