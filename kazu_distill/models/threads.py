"""How many threads torch computes with on the CPU."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch


def limit_threads() -> None:
    """Let torch use no more threads than this process may use cores, unless ``OMP_NUM_THREADS`` says how many.

    By itself it starts one for each core of the machine, also in a container that has a share of them; they then wait
    for each other.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))


def usable_cores(root: Path = Path("/")) -> int:
    """The cores that this process may use: those that it is pinned to, or its cgroup's share of time if that is less.

    A share of two and a half cores is two: a third thread would be stopped for a half of the time, and all wait for it.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(pinned, _cgroup_cores(root))))


def _cgroup_cores(root: Path) -> float:
    """Cores by the time that the process's cgroup and those above it are given; infinite where nothing limits it."""
    try:
        entries = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # no Linux
        return math.inf
    cores = math.inf
    for entry in entries:
        _, controllers, path = entry.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounted = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        own = mounted / path.strip("/")
        # In a container the path may be the host's, while its own group is mounted as the topmost.
        for folder in {mounted, own, *(parent for parent in own.parents if parent.is_relative_to(mounted))}:
            cores = min(cores, _version_1(folder) if controllers else _version_2(folder))
    return cores


def _version_2(folder: Path) -> float:
    """``cpu.max``: microseconds of a period, and the period; or ``max``."""
    numbers = _numbers(folder / "cpu.max")
    return numbers[0] / numbers[1] if len(numbers) == 2 else math.inf


def _version_1(folder: Path) -> float:
    """The same in two files; a quota of -1 is none."""
    numbers = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
    return numbers[0] / numbers[1] if len(numbers) == 2 and numbers[0] > 0 else math.inf


def _numbers(file: Path) -> list[float]:
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):
        return []
