"""The processes of a benchmark in turn, what they took side by side, and tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import torch
from bench_jobs import Predicted, PredictJob, Trained, TrainJob, write_values

SCRIPTS = Path(__file__).parent
Result = TypeVar("Result", Trained, Predicted)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that does jobs: how it is called in tables, its interpreter, and its script beside this one."""

    name: str
    python: str
    script: str

    def run(self, job: TrainJob | PredictJob, kind: type[Result], folder: Path) -> Result:
        """Do a job in a process of its own; ends the benchmark where that fails. Its words go to ``log.txt``."""
        folder.mkdir(parents=True, exist_ok=True)
        write_values(folder / "job.json", job)
        result, log = folder / "result.json", folder / "log.txt"
        result.unlink(missing_ok=True)
        command = [self.python, str(SCRIPTS / self.script), str(folder / "job.json"), str(result)]
        environment = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        with log.open("wb") as file:
            status = subprocess.run(
                command, cwd=SCRIPTS.parent, env=os.environ | environment, stdout=file, stderr=subprocess.STDOUT,
                check=False,
            ).returncode  # fmt: skip
        if status or not result.exists():
            sys.exit(f"{self.name} ended with status {status}: {log.read_text(errors='replace')[-2000:]}")
        return kind(**json.loads(result.read_text(encoding="utf-8")))


def ours(name: str = "ours") -> Program:
    """The program itself."""
    return Program(name, sys.executable, "bench_ours.py")


def plain(name: str) -> Program:
    """The plain recipe of ``transformers``."""
    return Program(name, sys.executable, "bench_plain.py")


def kazu(python: Path) -> Program:
    """Kazu in its own environment."""
    return Program("Kazu 2.4", str(python.absolute()), "kazu_peer.py")


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Median, and least and most where there are several."""
    known = sorted(values)
    middle = f"{median(known):,.{digits}f}"
    return middle if len(known) == 1 else f"{middle} ({known[0]:,.{digits}f}–{known[-1]:,.{digits}f})"


def ratios(ours_first: Sequence[float], other: Sequence[float]) -> str:
    """How many times better the first of each round is, rates of the same round against each other."""
    return spread([own / its for own, its in zip(ours_first, other, strict=True)], 2)


def rate_columns(unit: str, first: str) -> list[str]:
    """What the cells of ``rate_cells`` say; ``first`` is whom all are set against."""
    return [f"{unit}/s", f"{unit}/CPU s", f"{first} is faster by", "in CPU time by", "peak MB"]


def rate_cells(
    taken: Mapping[str, Sequence[Result]], amount: Callable[[Result], int], *, digits: int = 0
) -> dict[str, list[str]]:
    """For each program what its runs did in a second, how many times more the first one did, and its memory."""
    rates = {name: [amount(run) / run.seconds for run in runs] for name, runs in taken.items()}
    cpu_rates = {name: [amount(run) / run.cpu_s for run in runs] for name, runs in taken.items()}
    first = next(iter(taken))
    return {
        name: [
            spread(rates[name], digits),
            spread(cpu_rates[name], digits),
            ratios(rates[first], rates[name]),
            ratios(cpu_rates[first], cpu_rates[name]),
            spread([run.peak_bytes / 1e6 for run in runs], 0),
        ]
        for name, runs in taken.items()
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "".join(f"| {' | '.join(line)} |\n" for line in [columns, ["---"] * len(columns), *rows])


def machine() -> str:
    """The processor, its cores and the versions that figures depend on."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    processor = names[0] if names else platform.machine()
    graphics = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{processor}, {cores} cores{graphics}, Python {platform.python_version()}, torch {torch.__version__}"
