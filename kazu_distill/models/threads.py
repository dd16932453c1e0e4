"""How many threads torch computes with on the CPU."""

from __future__ import annotations

import math
import os
from pathlib import Path

import torch

from kazu_distill.models.control_groups import ControlGroup, control_groups


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
    return max(1, math.floor(min([pinned, *map(_cores, control_groups("cpu", root))])))


def _cores(group: ControlGroup) -> float:
    """Cores by the microseconds of a period that the group is given; a quota of -1 is none."""
    if group.version == 1:
        share = group.numbers("cpu.cfs_quota_us") + group.numbers("cpu.cfs_period_us")
    else:
        share = group.numbers("cpu.max")
    return share[0] / share[1] if len(share) == 2 and share[0] > 0 else math.inf
