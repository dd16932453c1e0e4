"""The two processes of a benchmark, each on a core of its own: the annotate stage, and the server that it asks."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
_MENTIONS = 8  # at most, in an answer of the server
_LOOK_EVERY_S = 0.01
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


@dataclass(frozen=True, slots=True)
class Server:
    """The tests' LLM server in a process of its own."""

    url: str

    @property
    def statistics(self) -> dict[str, Any]:
        """What it has seen."""
        with urlopen(f"{self.url}/statistics") as response:
            return dict(json.load(response))


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of the stage took, with its start-up: seconds, seconds of CPU, bytes; and what it reported."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    report: dict[str, Any]


@contextmanager
def served(*settings: str) -> Iterator[Server]:
    """A server that answers by a rule and keeps no requests."""
    command = ["tests.llm_server", "--synthetic", str(_MENTIONS), "--no-record", "--port", "0", *settings]
    with subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        _pin(process, 1)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if "llm.base_url=" not in line:
                sys.exit("the server did not start")
            yield Server(line.split("/v1")[0].removeprefix("llm.base_url="))
        finally:
            process.terminate()


def stage_command(server: Server, corpus: Path, out: Path, *overrides: str) -> list[str]:
    """The command as a user gives it."""
    return [
        sys.executable, "-m", "kazu_distill.annotate", "corpus=jsonl", f"corpus.path={corpus}", "schema=bc5cdr",
        "llm=local", "llm.model=m", f"llm.base_url={server.url}/v1", f"out={out}", *overrides,
    ]  # fmt: skip


def run_to_the_end(command: list[str], out: Path) -> Run:
    """Run the stage, and end the benchmark where it fails."""
    begun = time.perf_counter()
    process, log = _start(command, out)
    status, usage = _wait(process)
    seconds = time.perf_counter() - begun
    if status:
        sys.exit(f"the stage ended with status {status}: {log.read_text()[-2000:]}")
    report = json.loads((out / "report.json").read_bytes())
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT, report)


def run_until_killed(command: list[str], out: Path, server: Server, after_s: float) -> bool:
    """Run the stage and ``kill -9`` it so many seconds after its first request; False where it had ended before."""
    asked = server.statistics["requests"]
    process, _ = _start(command, out)
    while process.poll() is None and server.statistics["requests"] == asked:
        time.sleep(_LOOK_EVERY_S)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def machine() -> str:
    """The processor and which of its cores are used."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.partition(":")[2].strip() for line in information.open() if line.startswith("model name")]
        model = names[0] if names else model
    cores = _cores()
    pinned = f"client on core {cores[0]}, server on core {cores[1]}" if len(cores) > 1 else "not pinned"
    return f"{model}, {os.cpu_count()} cores ({pinned}), Python {platform.python_version()}"


def _start(command: list[str], out: Path) -> tuple[subprocess.Popen[bytes], Path]:
    out.mkdir(parents=True, exist_ok=True)
    log = out / "printed.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
    _pin(process, 0)
    return process, log


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, resource.struct_rusage]:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def _cores() -> list[int]:
    """Cores to pin to; none where the system cannot, or has but one."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return cores[:2] if len(cores) > 1 else []


def _pin(process: subprocess.Popen[Any], which: int) -> None:
    if cores := _cores():
        os.sched_setaffinity(process.pid, {cores[which]})
