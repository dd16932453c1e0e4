"""The control groups of Linux that this process is in: they limit what a container may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A group's folder, and the version of the kernel's interface, which says what files are in it."""

    folder: Path
    version: Literal[1, 2]

    def numbers(self, file: str) -> list[float]:
        """What a file says, word by word; nothing where it is not there or says that there is no limit."""
        try:
            return [float(word) for word in (self.folder / file).read_text().split()]
        except (OSError, ValueError):
            return []


def control_groups(controller: str, root: Path) -> set[ControlGroup]:
    """The process's own groups and those above them, each of which limits it; none where there is no Linux.

    Args:
        controller: what is limited, such as ``cpu``.
        root: where ``proc`` and ``sys`` are.
    """
    try:
        entries = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return set()
    groups = set()
    for entry in entries:
        _, controllers, path = entry.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mounted = root / "sys/fs/cgroup" / (controller if controllers else "")
        own = mounted / path.strip("/")
        # In a container the path may be the host's, while its own group is mounted as the topmost.
        above = (folder for folder in own.parents if folder.is_relative_to(mounted))
        groups |= {ControlGroup(folder, 1 if controllers else 2) for folder in (mounted, own, *above)}
    return groups
