"""A real Label Studio for tests, started by our own script in a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "label_studio.sh"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers and who may enter."""

    url: str
    token: str
    username: str
    password: str


def install_or_skip() -> None:
    """Make the server's environment, which takes a minute the first time; skip the test where that is impossible."""
    installed = subprocess.run(["bash", str(SCRIPT), "--install-only"], capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        pytest.skip(f"label-studio cannot be installed here: {installed.stderr.strip()[-300:]}")


@contextmanager
def running_label_studio(data: Path) -> Iterator[Server]:
    """Start a server on a free port, with its database in ``data``, and stop it at the end as Ctrl-C does.

    Raises:
        RuntimeError: it ended before it was ready; the message is what it printed.
    """
    port = free_port()
    process = subprocess.Popen(
        ["bash", str(SCRIPT), "--pypi"],
        env=script_environment(PORT=str(port), LABEL_STUDIO_DATA=str(data)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A group of its own gets the interrupt whole, as from a terminal; where the tests run in the background,
        # interrupts are ignored, and what a script finds ignored it cannot catch.
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    try:
        _wait_until_ready(process)
        token, password = (data / "token").read_text(), (data / "password").read_text()
        yield Server(f"http://127.0.0.1:{port}", token, "admin@localhost", password)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()


def script_environment(**settings: str) -> dict[str, str]:
    """The environment without the user's own settings of Label Studio."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("LABEL_STUDIO_")}
    return {**inherited, **settings}


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    printed = []
    for line in process.stdout or ():
        printed.append(line)
        if "Ctrl-C stops it" in line:
            return
    raise RuntimeError("label_studio.sh ended: " + "".join(printed))
