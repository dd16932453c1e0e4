"""``transformers serve``, as a real OpenAI-compatible server for an open LLM on this machine.

It is the one of the OpenAI-compatible servers that installs from PyPI in seconds and runs on a CPU: fastapi and uvicorn
are all that it needs beside what is there. vLLM needs a GPU (its wheels for CPUs are not on PyPI), and
llama-cpp-python comes as source alone, whose compilation takes longer than all tests.

It takes a folder with ``config.json``, so an adapter has to be merged first; it takes no T5 (what it cuts from the
front of an answer is as long as the question); and it ignores ``response_format``: answers are not forced.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

_STARTING_S = 180.0  # torch and the model are read from a disk that others may be using
_ENDING_S = 10.0


class TransformersServer:
    """The server, as a context manager: a process of its own that ends with it. ``url`` is the address up to ``/v1``.

    Args:
        model: the folder of a causal model with its tokenizer and chat template; it is also the model's name.
    """

    def __init__(self, model: Path) -> None:
        self.model = str(model)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 — closed with the server
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [
            sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", self.model,
            "--host", "127.0.0.1", "--port", str(self._port), "--device", "cpu",
        ]  # fmt: skip
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._process = subprocess.Popen(
            command, env=environment, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def log(self) -> str:
        """What it has printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _wait(self) -> None:
        assert self._process
        until = time.monotonic() + _STARTING_S
        while not self._is_healthy():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"transformers serve did not start: {self.log[-3000:]}")
            time.sleep(0.1)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _end(self) -> None:
        assert self._process
        self._process.terminate()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()
