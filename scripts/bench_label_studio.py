"""How long it takes to bring documents to Label Studio and to keep them in step.

    PYTHONPATH=. python scripts/bench_label_studio.py --sections 10000

starts a Label Studio of its own from PyPI (SQLite, in a temporary folder), pushes invented sections of 250 words with
30 spans each, and prints a table: seconds on the clock, seconds of the processor for this program and for the server,
memory that this program took on top of what it had, and how loaded the machine was.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

from bench_runs import machine, table

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.project import LabelStudioProject, Pushed
from kazu_distill.schema import Schema
from tests.label_studio.server import running_label_studio

SCHEMA = Schema(name="bench", classes={f"class {number}": {} for number in range(18)})
_WORDS, _SPANS = 250, 30
_TOKEN = "LABEL_STUDIO_API_KEY"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The documents of a file, read whenever they are asked for, as the stages do."""

    path: Path

    def __iter__(self) -> Iterator[Document]:
        return iter(read_documents(self.path))


def invented(sections: int, *, changed: float = 0.0) -> Iterator[Document]:
    """Documents of a section each; of some, from the first on, one span is another."""
    for number in range(sections):
        numbers = random.Random(number)
        words = ["".join(numbers.choices("abcdefghij", k=numbers.randint(3, 9))) for _ in range(_WORDS)]
        starts = [0]
        for word in words[:-1]:
            starts.append(starts[-1] + len(word) + 1)
        spans = [
            Span(starts[place], starts[place] + len(words[place]), numbers.choice(SCHEMA.labels), numbers.random())
            for place in sorted(numbers.sample(range(_WORDS), _SPANS))
        ]
        if number < changed * sections:
            spans[0] = replace(spans[0], score=0.5)
        yield Document(f"PMID:{number}", (Section("abstract", " ".join(words), tuple(spans)),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=None, metavar="N", help="only the first N pushes")
    arguments = parser.parse_args()
    sections = arguments.sections
    with tempfile.TemporaryDirectory() as folder, running_label_studio(Path(folder)) as server:
        os.environ[_TOKEN] = server.token
        rows = []
        for name, push in islice(pushes(server.url, Path(folder), sections).items(), arguments.first):
            rows.append(measured(name, push))
            print(rows[-1], flush=True)
    print(f"{machine()}; {sections:,} sections of {_WORDS} words with {_SPANS} spans\n")
    columns = ["push", "tasks made", "sent", "shown", "s", "CPU s", "CPU s, server", "MB more", "load"]
    print(table(columns, rows))


def pushes(url: str, folder: Path, sections: int) -> dict[str, Callable[[], Pushed]]:
    """What is measured, in turn, each after the one before."""
    project, gold = (
        LabelStudioProject(url=url, api_key_env=_TOKEN, title=title, schema=SCHEMA, max_tasks=None, seed=0, timeout=60)
        for title in ("bench", "bench, gold")
    )

    def written(name: str, number: int, changed: float = 0.0) -> OnDisk:
        write_documents(folder / name, invented(number, changed=changed))
        return OnDisk(folder / name)

    silver, few = written("silver.jsonl", sections), written("few.jsonl", max(1, sections // 100))
    some_changed, all_changed = written("some.jsonl", sections, 0.02), written("all.jsonl", sections, 1.0)
    return {
        "a version, new tasks": lambda: project.push(silver, model_version="silver"),
        "the same again": lambda: project.push(silver, model_version="silver"),
        "2 % changed": lambda: project.push(some_changed, model_version="silver"),
        "another version": lambda: project.push(silver, model_version="step 120"),
        "all of it changed": lambda: project.push(all_changed, model_version="step 120"),
        "gold, new tasks": lambda: gold.push_gold(silver),
        "gold, 1 % of the tasks of another": lambda: project.push_gold(few),
    }


def measured(name: str, push: Callable[[], Pushed]) -> list[str]:
    """A row of the table."""
    before, own, server, begin = peak_mb(), process_time(), server_seconds(), perf_counter()
    pushed = push()
    seconds = perf_counter() - begin
    figures = [seconds, process_time() - own, server_seconds() - server, peak_mb() - before, os.getloadavg()[0]]
    counts = [pushed.new_tasks, pushed.sent, pushed.predictions]
    return [name, *(f"{count:,}" for count in counts), *(f"{figure:.1f}" for figure in figures)]


def peak_mb() -> float:
    """The most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def server_seconds() -> float:
    """What the processes below this one have used of the processor."""
    below, seconds = {os.getpid()}, 0.0
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[1]) in below:
            below.add(int(process.name))
            seconds += (int(fields[11]) + int(fields[12])) / _TICKS
    return seconds


if __name__ == "__main__":
    main()
