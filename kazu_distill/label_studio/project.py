"""A run's project in Label Studio, where gold and the predictions of every evaluation stand beside each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from label_studio_sdk import LabelStudio

from kazu_distill.documents import Document
from kazu_distill.label_studio.connection import call, connected
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.layers import GroundTruth, Layer, Predictions
from kazu_distill.label_studio.patience import Patience
from kazu_distill.label_studio.ranking import rank_tab
from kazu_distill.label_studio.sync import OnProgress, Sync
from kazu_distill.label_studio.view import labelling_view, with_classes
from kazu_distill.schema import Schema

_LONGEST_TITLE = 50  # characters that Label Studio allows


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push left in Label Studio: where to look, how many tasks were new, how many sections are shown.

    ``sent`` of the ``predictions`` were new or changed, the others were there already; for ``push_gold`` they are
    annotations.
    """

    url: str
    new_tasks: int
    predictions: int
    sent: int = field(default=0, compare=False)


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
        url: the server's address, with a path where it has one (``https://host/label-studio``).
        api_key_env: the environment variable that holds the token; the token is written nowhere.
        title: the project's title; one that is longer than Label Studio allows is shortened to its end and a hash.
        schema: the classes of the labelling view.
        max_tasks: how many tasks (sections) a push shows at most, of the same documents each time; None: all.
        seed: which documents.
        timeout: how long the server may take for one answer, in seconds.
        ca: a file of certificates to trust instead of the system's.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key_env: str,
        title: str,
        schema: Schema,
        max_tasks: int | None,
        seed: int,
        timeout: float,
        ca: str | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key_env = api_key_env
        self._title = _allowed_title(title.strip())
        self._schema = schema
        self._max_tasks = max_tasks
        self._seed = seed
        self._timeout = timeout
        self._ca = Path(ca) if ca else None

    def push(
        self,
        documents: Iterable[Document],
        *,
        model_version: str,
        scores: Mapping[str, float] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Pushed:
        """Show the spans of documents as the predictions of a model version (``gold``, ``step 120``).

        The version is afterwards what this push says: what an earlier one showed and is the same stays as it is, what
        differs is replaced, what is no longer there goes. Sections that the project has already get no second task.

        Args:
            documents: read three times at most; where that is impossible (an iterator), they are held in memory.
                New tasks are made in their order, which is the one that reviewers are given them in.
            model_version: whose spans they are.
            scores: how much a look at each document is worth, by its id; reviewers see the largest first, in a tab of
                their own. Without it, what an earlier push said stays.
            on_progress: told how many sections are done, of how many.

        Raises:
            LabelStudioError: the server cannot be reached, refuses the token or a request, or lost something; a span
                that it would not take is named, and then nothing is sent.
        """
        return self._push(documents, partial(Predictions, model_version=model_version), scores, on_progress)

    def push_gold(
        self,
        documents: Iterable[Document],
        *,
        scores: Mapping[str, float] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Pushed:
        """Show the spans of documents as ground truth: an annotation a section, which reviewers are not asked again.

        As with ``push``, what is the same stays and what differs is replaced. What people made is never touched: where
        somebody has changed or confirmed the gold, or made another annotation the ground truth, that one stands.

        Raises:
            LabelStudioError: as ``push`` does.
        """
        return self._push(documents, GroundTruth, scores, on_progress)

    def start_from(self, model_version: str) -> None:
        """Make what a person begins with a copy of this version's spans; without it, it is the first that was pushed.

        Raises:
            LabelStudioError: there is no such project, or the server cannot be reached or refuses the token.
        """
        with self.found() as found:
            call(found.client, "PATCH", f"api/projects/{found.id}/", body={"model_version": model_version})

    @contextmanager
    def found(self) -> Iterator[FoundProject]:
        """The project as it is, to be read.

        Raises:
            LabelStudioError: there is none of this title, or the server cannot be reached or refuses the token; also
                for what goes wrong while it is read.
        """
        with connected(url=self._url, api_key_env=self._api_key_env, timeout=self._timeout, ca=self._ca) as client:
            listed = self._listed(client)
            if not listed:
                raise LabelStudioError(
                    f'{self._url}: there is no project "{self._title}"; push something to it first, or name another: '
                    "label_studio.title=…"
                )
            number = int(listed[0].id)
            yield FoundProject(client, number, f"{self._url}/projects/{number}/data", self._timeout)

    def _push(
        self,
        documents: Iterable[Document],
        layer: Callable[[LabelStudio, int], Layer],
        scores: Mapping[str, float] | None,
        on_progress: OnProgress | None,
    ) -> Pushed:
        again = list(documents) if iter(documents) is documents else documents
        with connected(url=self._url, api_key_env=self._api_key_env, timeout=self._timeout, ca=self._ca) as client:
            project, view, empty = self._found_or_made(client)
            sync = Sync(
                client=client,
                project=project,
                where=f'{self._url}: project "{self._title}"',
                view=view,
                layer=layer(client, project),
                scores=scores or {},
                patience=Patience(self._timeout),
                empty=empty,
            )
            done = sync.run(again, max_tasks=self._max_tasks, seed=self._seed, on_progress=on_progress)
            if scores:
                rank_tab(client, project)
        return Pushed(f"{self._url}/projects/{project}/data", done.new_tasks, done.shown, done.sent)

    def _found_or_made(self, client: LabelStudio) -> tuple[int, str, bool]:
        """The project of our title, made if there is none; its view, which has our classes; whether it has no task."""
        found = self._listed(client)
        if not found:
            view = labelling_view(self._schema)
            made: Any = client.projects.create(title=self._title, label_config=view, sampling="Sequential sampling")
            return int(made.id), view, True
        project, view = found[0], str(found[0].label_config)
        # A person may have changed the view; that stands, but for the classes that it lacks.
        complete = with_classes(view, self._schema)
        if complete != view:
            client.projects.update(int(project.id), label_config=complete)
        return int(project.id), complete, project.task_number == 0

    def _listed(self, client: LabelStudio) -> list[Any]:
        """The projects of our title, the oldest first."""
        listed: Iterable[Any] = client.projects.list(title=self._title)  # whose titles contain ours
        return sorted((each for each in listed if each.title == self._title), key=lambda each: int(each.id))


def _allowed_title(title: str) -> str:
    if len(title) <= _LONGEST_TITLE:
        return title
    digest = hashlib.sha256(title.encode()).hexdigest()[:8]
    return f"…{title[len(digest) + 2 - _LONGEST_TITLE :]} {digest}"
