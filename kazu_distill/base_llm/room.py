"""The memory that a device has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from kazu_distill.models.control_groups import ControlGroup, control_groups

# Of each version: a group's limit, what is used of it, and of that in "memory.stat" the files that were read.
_FILES = {
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    2: ("memory.max", "memory.current", "inactive_file"),
}


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of a device: all that this process may have, and what of it is free."""

    device: str
    total: int
    free: int


def room_of(device: torch.device, *, root: Path = Path("/")) -> Room | None:
    """The memory of a device; None where the system does not tell.

    Args:
        device: CUDA, MPS or the CPU.
        root: of the file system in which Linux tells of the CPU's memory.
    """
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return Room(str(device), total, free)
    if device.type == "mps":
        total = torch.mps.recommended_max_memory()
        return Room("mps", total, total - torch.mps.driver_allocated_memory())
    try:
        said = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines())
    except (OSError, ValueError):
        return None
    total, free = (int(said[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    for group in control_groups("memory", root):
        if (limit := _limit(group)) is not None:
            total, free = min(total, limit.total), min(free, limit.free)
    return Room("cpu", total, max(free, 0))


def _limit(group: ControlGroup) -> Room | None:
    """What a container may have and has left."""
    limit, used, stat = _FILES[group.version]
    try:
        statistics = dict(line.split() for line in (group.folder / "memory.stat").read_text().splitlines())
        files = int(statistics.get(stat, 0))  # that were read: they lie in memory only until it is wanted
    except (OSError, ValueError):
        return None
    match group.numbers(limit), group.numbers(used):
        case [total], [held]:
            return Room("cpu", int(total), int(total - held) + files)
    return None  # it has no limit
