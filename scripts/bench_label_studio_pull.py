"""How long it takes to pull what people submitted to Label Studio.

    PYTHONPATH=. python scripts/bench_label_studio_pull.py --sections 10000

starts a Label Studio of its own from PyPI (SQLite, in a temporary folder), imports the sections of
``bench_label_studio.py`` with a prediction and a submitted annotation each, and prints a table: seconds on the clock,
seconds of the processor for this program and for the server, memory that this program took on top of what it had.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench_label_studio import SCHEMA, invented, peak_mb, server_seconds
from bench_runs import machine, table

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document
from kazu_distill.label_studio.annotations import read_task
from kazu_distill.label_studio.connection import call
from kazu_distill.label_studio.policy import policy_of
from kazu_distill.label_studio.project import LabelStudioProject
from kazu_distill.label_studio.pulled import PulledTasks, pulled_tasks
from kazu_distill.label_studio.pulling import pull
from kazu_distill.label_studio.reviewed import ReviewCounts, gold_documents
from kazu_distill.label_studio.tasks import prediction_of, regions_of, task_of
from tests.label_studio.server import running_label_studio

_TOKEN = "LABEL_STUDIO_API_KEY"
_BATCH = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=10_000)
    sections = parser.parse_args().sections
    with tempfile.TemporaryDirectory() as folder, running_label_studio(Path(folder)) as server:
        os.environ[_TOKEN] = server.token
        with ProcessPoolExecutor(1) as elsewhere:  # whose memory is not to be measured
            annotations = elsewhere.submit(fill, server.url, sections).result()
        project = project_on(server.url)
        out = Path(folder)
        with pulled_tasks(out / "pulled.sqlite") as pulled:
            rows = [
                measured("everything", lambda: read(project, pulled)),
                measured("gold documents of it", lambda: assemble(pulled, out / "documents.jsonl")),
                measured("nothing has changed", lambda: read(project, pulled)),
            ]
            change(project, annotations[: sections // 100])
            rows.append(measured("1 % has changed", lambda: read(project, pulled)))
            rows.append(measured("everything again", lambda: read(project, pulled, full=True)))
    print(f"{machine()}; {sections:,} sections, each with 30 spans predicted and 30 submitted\n")
    print(table(["pull", "tasks", "s", "CPU s", "CPU s, server", "MB more", "load"], rows))


def project_on(url: str) -> LabelStudioProject:
    """The project that is pulled from."""
    return LabelStudioProject(
        url=url, api_key_env=_TOKEN, title="bench", schema=SCHEMA, max_tasks=None, seed=0, timeout=60
    )


def fill(url: str, sections: int) -> list[int]:
    """Import tasks that somebody has annotated; returns the ids of some annotations."""
    project = project_on(url)
    project.push([], model_version="silver")
    with project.found() as found:
        batch: list[dict[str, Any]] = []
        for number, document in enumerate(invented(sections), start=1):
            batch.append(annotated(document))
            if len(batch) == _BATCH or number == sections:
                call(found.client, "POST", f"api/projects/{found.id}/import", body=batch)
                batch = []
        params: dict[str, str | int] = {"project": found.id, "fields": "all", "page_size": sections // 100}
        tasks = call(found.client, "GET", "api/tasks", params=params)["tasks"]
    return [int(annotation["id"]) for task in tasks for annotation in task["annotations"]]


def annotated(document: Document) -> dict[str, Any]:
    """The task of a document of one section with its spans predicted, and submitted."""
    (section,) = document.sections
    annotation = {"result": regions_of(section), "ground_truth": False, "lead_time": 60.0}
    return {
        **task_of(document, 0),
        "predictions": [prediction_of(section, model_version="silver")],
        "annotations": [annotation],
    }


def change(project: LabelStudioProject, annotations: list[int]) -> None:
    """Have people take everything away."""
    with project.found() as found:
        for annotation in annotations:
            call(found.client, "PATCH", f"api/annotations/{annotation}/", body={"result": []})


def read(project: LabelStudioProject, pulled: PulledTasks, *, full: bool = False) -> int:
    """Bring up to date what was pulled."""
    with project.found() as found:
        return pull(found, pulled, full=full)


def assemble(pulled: PulledTasks, path: Path) -> int:
    """Write the gold documents."""
    people, versions, labels = pulled.people(), pulled.versions(), frozenset(SCHEMA.labels)
    tasks = (read_task(record, labels=labels, people=people, versions=versions) for record in pulled.records())
    gold = gold_documents(tasks, policy=policy_of("latest"), partial="drop", counts=ReviewCounts())
    return write_documents(path, gold)


def measured(name: str, run: Callable[[], int]) -> list[str]:
    """A row of the table."""
    before, own, server, begin = peak_mb(), process_time(), server_seconds(), perf_counter()
    tasks = run()
    seconds = perf_counter() - begin
    figures = [seconds, process_time() - own, server_seconds() - server, peak_mb() - before, os.getloadavg()[0]]
    row = [name, f"{tasks:,}", *(f"{figure:.1f}" for figure in figures)]
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
