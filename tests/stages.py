"""Running stages in tests as a user runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kazu_distill.models.checkpoints import is_whole

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


def kill_when(is_far: Callable[[], bool], name: str, *arguments: str) -> None:
    """Start a stage and kill it, so that it can put nothing in order, once it is so far; it must not end before."""
    child = subprocess.Popen(
        [sys.executable, "-m", f"kazu_distill.{name}", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not is_far():
        assert child.poll() is None
        time.sleep(0.005)
    child.kill()
    assert child.wait() == -signal.SIGKILL


def start_for_ctrl_c(name: str, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a stage that hears Ctrl-C also where the tests do not, as in the background of a script."""
    return subprocess.Popen(
        [sys.executable, "-m", f"kazu_distill.{name}", *arguments],
        cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )  # fmt: skip


def press_ctrl_c(child: subprocess.Popen[str]) -> str:
    """What an interrupted stage printed; it is interrupted again where Python lost the first, as in ``__del__``."""
    child.send_signal(signal.SIGINT)
    try:
        return child.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)
        return child.communicate(timeout=60)[1]


def has_checkpoint(run: Path) -> bool:
    """Whether a training run has a whole checkpoint to go on from."""
    return any(map(is_whole, run.glob("checkpoints/checkpoint-*")))
