"""The memory that a device has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch


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
    for limit, used in _limits(root):
        total, free = min(total, limit), min(free, limit - used)
    return Room("cpu", total, max(free, 0))


def _limits(root: Path) -> list[tuple[int, int]]:
    """What a container may have and what it uses, as control groups of both versions tell, and those around them."""
    found = []
    for groups, limit, used in (
        ("sys/fs/cgroup", "memory.max", "memory.current"),
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        for group in _own_groups(root):
            own = root / groups / group
            try:
                statistics = dict(line.split() for line in (own / "memory.stat").read_text().splitlines())
                # Files that were read lie in memory only until it is wanted.
                files = int(statistics.get("total_inactive_file", statistics.get("inactive_file", 0)))
                found.append((int((own / limit).read_text()), int((own / used).read_text()) - files))
            except (OSError, ValueError):
                continue  # there is no such group, or it has no limit
    return found


def _own_groups(root: Path) -> set[str]:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return {"."}
    paths = [Path(line.split(":", 2)[2].lstrip("/")) for line in lines if line.count(":") >= 2]
    return {str(group) for path in paths for group in (path, *path.parents)} | {"."}
