"""torch computes with as many threads as the process may use cores."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kazu_distill.models.threads import usable_cores
from tests.stages import REPOSITORY

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(root: Path, groups: str, **quotas: str) -> Path:
    """A file system that says which cgroup the process is in, and what cgroups are given."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for path, content in quotas.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


@pytest.mark.parametrize(
    ("groups", "quotas"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "150000 100000\n"}),
        ("0::/host/path\n", {"cpu.max": "50000 100000\n"}),
        ("2:cpuset:/\n4:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "100000", "cpu/a/cpu.cfs_period_us": "100000"}),
    ],
    ids=["version 2", "a group above", "of a container", "version 1"],
)
def test_a_cgroups_share_of_time_is_what_may_be_used(groups: str, quotas: dict[str, str], tmp_path: Path) -> None:
    assert usable_cores(machine(tmp_path, groups, **quotas)) == 1


@pytest.mark.parametrize(
    ("groups", "quotas"),
    [
        ("0::/\n", {}),
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
    ],
    ids=["no file", "no limit", "more than there are", "no limit in version 1"],
)
def test_without_a_limit_all_cores_may_be_used(groups: str, quotas: dict[str, str], tmp_path: Path) -> None:
    assert usable_cores(machine(tmp_path, groups, **quotas)) == CORES
    assert usable_cores(tmp_path / "no Linux") == CORES


def threads(**environment: str) -> int:
    """The threads of a process that is pinned to one core."""
    program = """
import os
import torch
torch.set_num_threads(3)  # as on a machine of three cores
os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
from kazu_distill.models.threads import limit_threads
limit_threads()
print(torch.get_num_threads())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned here")
def test_a_pinned_process_gets_as_many_threads_as_cores_unless_the_user_says_how_many() -> None:
    assert threads() == 1
    assert threads(OMP_NUM_THREADS="3") == 3
