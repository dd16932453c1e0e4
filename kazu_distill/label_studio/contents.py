"""What a project on the server holds, read in pages: its tasks, a version's predictions, the ground truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from label_studio_sdk import LabelStudio

from kazu_distill.label_studio.connection import call
from kazu_distill.label_studio.tasks import FIELDS, TaskKey, digest_of, is_a_section, is_ours, key_of

_TASKS_A_PAGE = 500
_SHOWN_A_PAGE = 100  # tasks with every prediction and annotation that they have
# The server applies one list of names to tasks and, of annotations but not of predictions, to what is in them.
_ANNOTATIONS = "id,annotations,result,import_id,lead_time,was_cancelled,ground_truth"


@dataclass(frozen=True, slots=True)
class PresentTask:
    """A task on the server: its rank, whether somebody has annotated it, and fields that others have added to it."""

    id: int
    priority: float | None = None
    annotated: bool = False
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """A prediction or an annotation on the server; ``digest`` tells what it showed when it was pushed.

    ``removable`` is False for an annotation that a person has made, changed or confirmed.
    """

    id: int
    task: int
    digest: bytes
    removable: bool = True


def present_tasks(
    client: LabelStudio, project: int, *, after: int = 0
) -> tuple[dict[TaskKey, PresentTask], list[PresentTask]]:
    """Our tasks by what they show, and those that an import which was answered too late left a second time.

    Of two, the one that is annotated counts, else the older; one that people have annotated is never among the second.
    Only tasks with ids above ``after`` are read.
    """
    found: dict[TaskKey, PresentTask] = {}
    twice: list[PresentTask] = []
    for task in _tasks(client, project, "id,data,total_annotations", "task_only", _TASKS_A_PAGE, ("id", after)):
        if not is_a_section(task):
            continue  # somebody else's
        key, present = key_of(task), _present_task(task)
        first = found.setdefault(key, present)
        if first is not present:
            if present.annotated and not first.annotated:
                found[key], present = present, first
            twice.append(present)
    return found, [task for task in twice if not (task.annotated and _is_annotated_by_people(client, task.id))]


def versions(client: LabelStudio, project: int) -> Mapping[str, int]:
    """The project's model versions and how many predictions each has."""
    counts: dict[str, int] = call(client, "GET", f"api/projects/{project}/model-versions/")
    return counts


def shown_predictions(client: LabelStudio, project: int, model_version: str) -> list[Shown]:
    """The predictions of a version, the oldest first."""

    def shown(prediction: Mapping[str, Any], task: int) -> Shown | None:
        if prediction.get("model_version") != model_version:
            return None
        return Shown(int(prediction["id"]), task, digest_of(prediction.get("result") or []))

    return _shown(client, project, "id,predictions", "predictions", shown, None)


def shown_ground_truth(client: LabelStudio, project: int) -> list[Shown]:
    """The annotations that were pushed, as they were, and those that people made ground truth; the oldest first."""

    def shown(annotation: Mapping[str, Any], task: int) -> Shown | None:
        mark = annotation.get("import_id")
        if not annotation.get("ground_truth") and mark is None:
            return None
        digest = (mark or 0).to_bytes(8, "big", signed=True)
        return Shown(int(annotation["id"]), task, digest, removable=is_ours(annotation))

    return _shown(client, project, _ANNOTATIONS, "annotations", shown, ("total_annotations", 0))


def _shown(
    client: LabelStudio,
    project: int,
    include: str,
    kind: str,
    shown: Callable[[Mapping[str, Any], int], Shown | None],
    above: tuple[str, int] | None,
) -> list[Shown]:
    tasks = _tasks(client, project, include, "all", _SHOWN_A_PAGE, above)
    every = (shown(each, int(task["id"])) for task in tasks for each in task[kind])
    return sorted((each for each in every if each), key=lambda each: each.id)


def _is_annotated_by_people(client: LabelStudio, task: int) -> bool:
    return not all(map(is_ours, call(client, "GET", f"api/tasks/{task}/annotations/")))


def _present_task(task: Mapping[str, Any]) -> PresentTask:
    data = task["data"]
    return PresentTask(
        id=int(task["id"]),
        priority=data.get("priority"),
        annotated=bool(task.get("total_annotations")),
        others={name: value for name, value in data.items() if name not in FIELDS},
    )


def _tasks(
    client: LabelStudio, project: int, include: str, fields: str, size: int, above: tuple[str, int] | None
) -> Iterator[dict[str, Any]]:
    """The tasks of a project by age, of which a column may have to be above a number."""
    # Without being told otherwise, the server sends every prediction and annotation too.
    params: dict[str, str | int] = {"project": project, "include": include, "fields": fields, "page_size": size}
    if above and above != ("id", 0):
        column, least = above
        wanted = {"filter": f"filter:tasks:{column}", "operator": "greater", "type": "Number", "value": least}
        params["query"] = json.dumps({"filters": {"conjunction": "and", "items": [wanted]}})
    page, seen, total = 1, 0, 1
    while seen < total:
        answer = call(client, "GET", "api/tasks", params={**params, "page": page})
        yield from answer["tasks"]
        page, seen, total = page + 1, seen + size, int(answer["total"])
