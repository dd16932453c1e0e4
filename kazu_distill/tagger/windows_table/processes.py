"""Shards written by several processes, which load neither torch nor what the program has imported.

``multiprocessing`` would import the main module, and with it torch, into each of them; a fork of a program that has
threads can hang.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from kazu_distill.errors import KazuDistillError
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.windows import Windower
from kazu_distill.tagger.windows_table.shards import Shard, write_shard
from kazu_distill.tagger.windows_table.stretches import Stretch

Job = tuple[Path, Stretch]


class WorkerFailed(KazuDistillError):
    """A process that tokenizes has ended before its time."""


def write_shards(jobs: Sequence[Job], *, windower: Windower, scheme: LabelScheme, processes: int) -> Generator[Shard]:
    """Write a shard for each stretch; what they give comes in their order.

    For one job, or one process, none is started. Close the iterator to end them all early.

    Raises:
        WorkerFailed: a process was killed, or failed for a reason that stands above on standard error.
        OSError: a file cannot be read or written.
    """
    number = min(processes, len(jobs))
    if number <= 1:
        for path, stretch in jobs:
            yield write_shard(path, stretch, windower=windower, scheme=scheme)
        return
    setup = pickle.dumps((windower, scheme))
    workers: list[_Worker] = []
    idle: SimpleQueue[_Worker] = SimpleQueue()

    def write(job: Job) -> Shard:
        worker = idle.get()
        try:
            return worker.write(job)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(number) as threads:
        try:
            for _ in range(number):
                workers.append(_Worker(setup))
                idle.put(workers[-1])
            yield from threads.map(write, jobs)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.end()


class _Worker:
    def __init__(self, setup: bytes) -> None:
        own = {
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            "TOKENIZERS_PARALLELISM": "false",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], env=os.environ | own, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._setup = setup

    def write(self, job: Job) -> Shard:
        try:
            self._requests.write(self._setup)  # before the first job
            self._setup = b""
            pickle.dump(job, self._requests)
            self._requests.flush()
            answer: Shard | OSError = pickle.load(self._answers)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            raise WorkerFailed(
                f"a process that tokenizes {job[1].file} ended with status {self._process.wait()} (-9: killed, perhaps "
                "for want of memory); start again"
            ) from error
        if isinstance(answer, OSError):
            raise answer
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # of what was not sent
            self._requests.close()
        self._answers.close()


def _serve() -> None:
    """Write shards until nobody asks for more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library may print is no answer
    windower, scheme = pickle.load(requests)
    while True:
        try:
            path, stretch = pickle.load(requests)
        except EOFError:
            return
        answer: Shard | OSError
        try:
            answer = write_shard(path, stretch, windower=windower, scheme=scheme)
        except OSError as error:
            answer = error
        try:
            pickle.dump(answer, answers)
            answers.flush()
        except BrokenPipeError:  # the parent was killed
            os._exit(1)


if __name__ == "__main__":
    _serve()
