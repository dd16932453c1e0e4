"""Running stages in tests as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended, and what it printed."""

    status: int
    printed: str
    errors: str


def run_stage(name: str, *arguments: str, cwd: Path = REPOSITORY, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``python -m kazu_distill.NAME`` with nothing of the user's keys in its environment."""
    kept = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    kept |= {"COLUMNS": "200", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(
        [sys.executable, "-m", f"kazu_distill.{name}" if name else "kazu_distill", *arguments],
        cwd=cwd,
        env=kept | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def succeed(name: str, *arguments: str, cwd: Path = REPOSITORY, environment: Mapping[str, str] | None = None) -> Run:
    """Run a stage that must succeed."""
    run = run_stage(name, *arguments, cwd=cwd, environment=environment)
    assert run.status == 0, run.errors
    assert "Traceback" not in run.errors
    return run


def fail(name: str, *arguments: str, cwd: Path = REPOSITORY, environment: Mapping[str, str] | None = None) -> str:
    """Run a stage that must fail with a message for the user; returns the message."""
    run = run_stage(name, *arguments, cwd=cwd, environment=environment)
    assert run.status == 1
    assert "Traceback" not in run.errors + run.printed
    return run.errors.strip()
