"""Reading a project: every task with its annotations, the first time all of them, later those that have changed."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from kazu_distill.label_studio.connection import call
from kazu_distill.label_studio.contents import versions
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.json_stream import elements_of
from kazu_distill.label_studio.project import FoundProject
from kazu_distill.label_studio.pulled import PulledTasks
from kazu_distill.label_studio.sync import OnProgress

# A snapshot costs the server about 2 ms for every task of the project, a task that is asked for alone 80 ms.
_SINGLE_TASKS = 1 / 50  # of all: up to this share the changed ones are asked for one by one
_SECONDS_PER_TASK = 0.02  # that a busy server may need for its snapshot, beside the time limit of any answer
_POLL = 1.0  # seconds

_STAMP = ("updated_at", "total_annotations", "cancelled_annotations")


def pull(
    found: FoundProject,
    pulled: PulledTasks,
    *,
    full: bool = False,
    on_progress: OnProgress = lambda done, total: None,  # noqa: ARG005
) -> int:
    """Bring what was pulled of a project up to date.

    Which tasks have changed is told by their time of change and number of annotations. These are those that the server
    had before it read the annotations, so what changes in between is read again the next time, and nothing is missed.
    Tasks that are gone are forgotten. A pull that fails leaves what was there.

    Args:
        found: the project, connected to.
        pulled: what an earlier pull kept; of another project it is forgotten.
        full: read every task, whether it has changed or not.
        on_progress: called while tasks are read, with how many of them are.

    Returns:
        How many tasks were read.

    Raises:
        LabelStudioError: the server made no snapshot, or an answer was cut.
    """
    client = found.client
    count = int(call(client, "GET", f"api/projects/{found.id}/")["task_number"])
    with pulled.changing():
        pulled.belong_to(found.url)
        before = pulled.stamps()
        if full or not before:
            changed, unread = None, set(before)
        else:
            stamps = _stamps(client, found.id, count)
            changed = {task for task, stamp in stamps.items() if before.get(task) != stamp}
            unread = changed | (before.keys() - stamps.keys())
        total = count if changed is None else len(changed)
        read, parents = 0, set[int]()
        for record in _records(found, changed, count) if total else ():
            if changed is None or record["id"] in changed:
                pulled.put(record, _stamp(record))
                unread.discard(record["id"])
                parents |= {annotation["parent_prediction"] for annotation in record["annotations"]}
                read += 1
                on_progress(read, total)
        pulled.forget(unread)
        if read:
            pulled.put_people({user["id"]: user["email"] for user in call(client, "GET", "api/users/")})
        unknown = parents - pulled.versions().keys() - {None}
        pulled.put_versions(_versions(client, found.id, sorted(unknown)))
    return read


def _stamp(task: Mapping[str, Any]) -> str:
    return " ".join(str(task[name]) for name in _STAMP)


def _stamps(client: LabelStudio, project: int, count: int) -> dict[int, str]:
    """What tells a changed task from an unchanged one, for every task.

    All at once, since a page could miss a task that moves while the others are read; without what is not asked for,
    which would be every annotation and prediction.
    """
    if not count:
        return {}
    params: dict[str, str | int] = {"page_size": -1, "include": ",".join(("id", *_STAMP))}
    tasks = call(client, "GET", f"api/projects/{project}/tasks/", params=params)
    if len(tasks) < count:
        raise LabelStudioError(
            f"project {project}: the server gives {len(tasks):,} of {count:,} tasks at once; take away its limit "
            "(TASK_API_PAGE_SIZE_MAX), or pull again if tasks were removed just now"
        )
    return {task["id"]: _stamp(task) for task in tasks}


def _records(found: FoundProject, changed: Collection[int] | None, count: int) -> Iterator[dict[str, Any]]:
    """Tasks with their annotations, among them all that have changed (None: all)."""
    if changed is not None and len(changed) <= _SINGLE_TASKS * count:
        return _single(found.client, changed)
    return _snapshot(found, tasks=count)


def _single(client: LabelStudio, tasks: Iterable[int]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        try:
            yield call(client, "GET", f"api/tasks/{task}/")
        except ApiError as error:
            if error.status_code != 404:
                raise


def _snapshot(found: FoundProject, *, tasks: int) -> Iterator[dict[str, Any]]:
    """Every task of a project, streamed from a file that the server makes, and that is removed in the end."""
    path = f"api/projects/{found.id}/exports/"
    patience = found.timeout + _SECONDS_PER_TASK * tasks
    wanted = {
        "annotation_filter_options": {"usual": True, "ground_truth": True, "skipped": True},
        "serialization_options": {
            name: {"only_id": True} for name in ("drafts", "predictions", "annotations__completed_by")
        },
    }
    made = call(found.client, "POST", path, body=wanted, timeout=patience)
    try:
        end = time.monotonic() + patience
        while made["status"] in ("created", "in_progress"):  # a server with workers makes it in the background
            if time.monotonic() > end:
                raise LabelStudioError(f"{found.url}: the export was not ready within {patience:.0f} s; pull again")
            time.sleep(_POLL)
            made = call(found.client, "GET", f"{path}{made['id']}")
        if made["status"] != "completed":
            raise LabelStudioError(f"{found.url}: the server could not export the project; see its log")
        http = found.client._client_wrapper.httpx_client
        with http.stream(f"{path}{made['id']}/download", method="GET", params={"exportType": "JSON"}) as answer:
            if not answer.is_success:
                raise ApiError(status_code=answer.status_code, body=answer.read().decode(errors="replace"))
            yield from elements_of(answer.iter_bytes())
    finally:
        call(found.client, "DELETE", f"{path}{made['id']}")


def _versions(client: LabelStudio, project: int, predictions: Sequence[int]) -> dict[int, str]:
    """The model version of each prediction; there may be many predictions, but mostly of one version."""
    if not predictions:
        return {}
    shown = list(versions(client, project))
    if len(shown) == 1:
        return dict.fromkeys(predictions, shown[0])
    names = {}
    for prediction in predictions:
        try:
            names[prediction] = str(call(client, "GET", f"api/predictions/{prediction}/")["model_version"])
        except ApiError as error:
            if error.status_code != 404:
                raise
    return names
