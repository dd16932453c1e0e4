"""A run's project in Label Studio, where gold and the predictions of every evaluation stand beside each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from label_studio_sdk import ImportApiRequest, LabelStudio, PredictionRequest

from kazu_distill.documents import Document
from kazu_distill.label_studio.connection import connected
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.sample import sample
from kazu_distill.label_studio.tasks import TaskKey, classes_of, key_of, labelling_config, prediction_of, task_of
from kazu_distill.schema import Schema

_BATCH = 500  # tasks or predictions a request
_LONGEST_TITLE = 50  # characters that Label Studio allows

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push left in Label Studio: where to look, and how many tasks were new and predictions were kept."""

    url: str
    new_tasks: int
    predictions: int


@dataclass(frozen=True, slots=True)
class FoundProject:
    """A project that is there, connected to: its id, its address, and how long an answer may take, in seconds."""

    client: LabelStudio
    id: int
    url: str
    timeout: float


class LabelStudioProject:
    """A project on a Label Studio server, made at the first push and found again by its title.

    Args:
        url: the server's address.
        api_key_env: the environment variable that holds the token; the token is written nowhere.
        title: the project's title; one that is longer than Label Studio allows is shortened to its end and a hash.
        schema: the classes of the labelling interface.
        documents: how many documents a push shows at most, the same ones each time.
        seed: which ones.
        timeout: how long the server may take for one answer, in seconds.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key_env: str,
        title: str,
        schema: Schema,
        documents: int,
        seed: int,
        timeout: float,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key_env = api_key_env
        self._title = _allowed_title(title.strip())
        self._schema = schema
        self._documents = documents
        self._seed = seed
        self._timeout = timeout

    def push(self, documents: Sequence[Document], *, model_version: str) -> Pushed:
        """Show the spans of documents as the predictions of a model version (``gold``, ``step 120``).

        Sections that the project has already get no second task, and what an earlier push of the same model version
        left is replaced.

        Raises:
            LabelStudioError: the server cannot be reached, refuses the token or a request, or lost something.
        """
        chosen = sample(documents, size=self._documents, seed=self._seed)
        sections = [(document, number) for document in chosen for number in range(len(document.sections))]
        with connected(url=self._url, api_key_env=self._api_key_env, timeout=self._timeout) as client:
            project = self._project_id(client)
            tasks, new = self._tasks(client, project, [task_of(*section) for section in sections])
            predictions = [
                prediction_of(
                    document.sections[number],
                    task_id=tasks[key_of(task_of(document, number))],
                    model_version=model_version,
                )
                for document, number in sections
            ]
            _delete_version(client, project, model_version)
            kept = _import_predictions(client, project, predictions)
        if kept < len(predictions):
            raise self._lost(f'predictions of "{model_version}"', kept, len(predictions), chosen)
        return Pushed(f"{self._url}/projects/{project}/data", new, kept)

    @contextmanager
    def found(self) -> Iterator[FoundProject]:
        """The project as it is, to be read.

        Raises:
            LabelStudioError: there is none of this title, or the server cannot be reached or refuses the token; also
                for what goes wrong while it is read.
        """
        with connected(url=self._url, api_key_env=self._api_key_env, timeout=self._timeout) as client:
            listed: Iterable[Any] = client.projects.list(title=self._title)  # whose titles contain ours
            ids = sorted(int(project.id) for project in listed if project.title == self._title)
            if not ids:
                raise LabelStudioError(
                    f'{self._url}: there is no project "{self._title}"; push something to it first, or name another: '
                    "label_studio.title=…"
                )
            yield FoundProject(client, ids[0], f"{self._url}/projects/{ids[0]}/data", self._timeout)

    def _project_id(self, client: LabelStudio) -> int:
        """The project of our title, made if there is none, with an interface that has our classes."""
        ours = labelling_config(self._schema)
        listed: Iterable[Any] = client.projects.list(title=self._title)  # whose titles contain ours
        found = sorted((project.id, project.label_config) for project in listed if project.title == self._title)
        if not found:
            made: Any = client.projects.create(title=self._title, label_config=ours)
            return int(made.id)
        project, config = found[0]
        # A person may have changed the interface; that stands as long as it has every class.
        if not set(self._schema.labels) <= classes_of(config):
            client.projects.update(project, label_config=ours)
        return int(project)

    def _tasks(
        self, client: LabelStudio, project: int, wanted: Sequence[dict[str, Any]]
    ) -> tuple[dict[TaskKey, int], int]:
        """The id of each wanted task, and how many of them had to be imported."""
        present = _present_tasks(client, project)
        missing = [task for task in wanted if key_of(task) not in present]
        for batch in _batches(missing):
            client.projects.import_tasks(project, request=[ImportApiRequest(data=task["data"]) for task in batch])
        if missing:
            present = _present_tasks(client, project)
        kept = sum(key_of(task) in present for task in wanted)
        if kept < len(wanted):
            raise self._lost("tasks", kept, len(wanted), ())
        return present, len(missing)

    def _lost(self, what: str, kept: int, sent: int, documents: Sequence[Document]) -> LabelStudioError:
        unknown = {label for document in documents for label in document.labels()} - set(self._schema.labels)
        reason = (
            f'the class "{min(unknown)}" is not in the schema {self._schema.name!r}'
            if unknown
            else "see the server's log, and whether somebody changed the project's labelling interface"
        )
        return LabelStudioError(f'{self._url}: project "{self._title}" kept {kept} of {sent} {what}; {reason}')


def _present_tasks(client: LabelStudio, project: int) -> dict[TaskKey, int]:
    # Without being told otherwise, the SDK asks for every prediction and annotation too.
    tasks: Iterable[Any] = client.tasks.list(project=project, fields="task_only", include="id,data", page_size=_BATCH)
    return {key_of({"data": task.data}): int(task.id) for task in tasks}


def _delete_version(client: LabelStudio, project: int, model_version: str) -> None:
    """Remove an earlier import of a model version, which Label Studio would keep beside the new one.

    The SDK has no method for it, so this goes through its own (private) HTTP client, which holds the token.
    """
    answer = client._client_wrapper.httpx_client.request(
        f"api/projects/{project}/model-versions/", method="DELETE", json={"model_version": model_version}
    )
    answer.raise_for_status()


def _import_predictions(client: LabelStudio, project: int, predictions: Sequence[dict[str, Any]]) -> int:
    """How many predictions the server says it kept: those that it finds invalid are dropped without an error."""
    return sum(
        client.projects.import_predictions(
            project, request=[PredictionRequest(**prediction) for prediction in batch]
        ).created
        or 0
        for batch in _batches(predictions)
    )


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _allowed_title(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    digest = hashlib.sha256(title.encode()).hexdigest()[:8]
    return f"…{title[len(digest) + 2 - _LONGEST_TITLE :]} {digest}"
