"""What people do in Label Studio, by its API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from kazu_distill.documents import Document, Section
from kazu_distill.label_studio.annotations import read_task
from kazu_distill.label_studio.policy import policy_of
from kazu_distill.label_studio.pulled import pulled_tasks
from kazu_distill.label_studio.pulling import pull
from kazu_distill.label_studio.reviewed import ReviewCounts, gold_documents
from kazu_distill.label_studio.tasks import regions_of
from tests.label_studio.examples import SCHEMA, project_on
from tests.label_studio.server import Server


class Reviewers:
    """Acts on the tasks of a project; ``person`` is the e-mail address of whoever does it, made at first sight."""

    def __init__(self, server: Server, project_url: str) -> None:
        self.project = int(project_url.split("/")[-2])
        self._http = httpx.Client(
            base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=120.0
        )

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks with predictions and annotations, in the order of their ids."""
        answer = self.call("GET", "/api/tasks/", params={"project": self.project, "fields": "all", "page_size": 1000})
        return sorted(answer["tasks"], key=lambda task: int(task["id"]))

    def submit(self, task: int, section: Section | None = None, *, person: str = "", **fields: Any) -> int:
        """Submit a section's spans as the annotation of a task; returns its id."""
        body: dict[str, Any] = {"result": regions_of(section) if section else [], "lead_time": 12.5} | fields
        if person:
            body["completed_by"] = self._person(person)
        return int(self.call("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])

    def change(self, annotation: int, **fields: Any) -> None:
        """Change an annotation."""
        self.call("PATCH", f"/api/annotations/{annotation}/", json=fields)

    def accept(self, model_version: str) -> None:
        """Make the predictions of a version annotations, of every task."""
        body = {"selectedItems": {"all": True, "excluded": []}, "model_version": model_version}
        self.call("POST", f"/api/dm/actions?id=predictions_to_annotations&project={self.project}", json=body)

    def act(self, action: str, tasks: Sequence[int]) -> None:
        """Do an action of the Data Manager with some tasks."""
        body = {"selectedItems": {"all": False, "included": list(tasks)}}
        self.call("POST", f"/api/dm/actions?id={action}&project={self.project}", json=body)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """What the API answers."""
        answer = self._http.request(method, path, **options)
        assert answer.is_success, answer.text[:300]
        return answer.json() if answer.content else None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _person(self, email: str) -> int:
        known = {user["email"]: int(user["id"]) for user in self.call("GET", "/api/users/")}
        if email in known:
            return known[email]
        return int(self.call("POST", "/api/users/", json={"email": email, "username": email[:20]})["id"])


def pulled_from(
    server: Server, title: str, file: Path, *, full: bool = False, policy: str = "latest", partial: str = "drop"
) -> tuple[list[Document], ReviewCounts, int]:
    """Gold documents, what was counted, and how many tasks were read."""
    counts = ReviewCounts()
    with pulled_tasks(file) as pulled:
        with project_on(server.url, title).found() as found:
            read = pull(found, pulled, full=full)
        people, versions = pulled.people(), pulled.versions()
        tasks = (
            read_task(record, labels=SCHEMA.labels, people=people, versions=versions) for record in pulled.records()
        )
        documents = list(gold_documents(tasks, policy=policy_of(policy), partial=partial, counts=counts))
    return documents, counts, read
