"""One push: what the project holds is compared with what it should show, and only the difference is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError

from kazu_distill.documents import Document
from kazu_distill.label_studio.connection import call
from kazu_distill.label_studio.contents import PresentTask, Shown, present_tasks
from kazu_distill.label_studio.errors import Unacceptable
from kazu_distill.label_studio.layers import Layer
from kazu_distill.label_studio.patience import Patience
from kazu_distill.label_studio.refusals import Place, listed, places_of, refused, unknown_classes
from kazu_distill.label_studio.sample import Candidate, sample
from kazu_distill.label_studio.tasks import TaskKey, key_of, task_of
from kazu_distill.label_studio.view import classes_of

_MOST_SECTIONS = 500  # a request
_MOST_CHARACTERS = 4_000_000  # a request, about
_CHARACTERS_A_SPAN = 200
# One prediction takes the server 0.1 s to remove alone; 12 ms to remove with its version and to bring back.
_CHEAPER_ALL_AT_ONCE = 0.1  # of what is shown
_INVALID = 400  # HTTP

OnProgress = Callable[[int, int], None]
"""Given how many sections are done, and of how many."""


@dataclass(slots=True)
class Done:
    """What a push has done so far, in sections: tasks made, shown in all, and sent because they were new or changed."""

    new_tasks: int = 0
    shown: int = 0
    sent: int = 0


@dataclass(kw_only=True)
class Sync:
    """Brings a project in step with documents.

    Attributes:
        where: the project, for messages.
        view: the XML of its labelling view.
        layer: what is shown.
        scores: priority by document id; an empty one leaves priorities as they are.
        empty: whether the project is known to have no task.
    """

    client: LabelStudio
    project: int
    where: str
    view: str
    layer: Layer
    scores: Mapping[str, float]
    patience: Patience
    empty: bool
    _present: dict[TaskKey, PresentTask] = field(default_factory=dict)
    _newest: int = 0

    def run(
        self, documents: Iterable[Document], *, max_tasks: int | None, seed: int, on_progress: OnProgress | None
    ) -> Done:
        """Send what is new or differs; ``documents`` are read up to three times."""
        if not self.empty:
            self._read_present()
        chosen = self._chosen(documents, max_tasks, seed) if max_tasks is not None else None

        def places() -> Iterator[Place]:
            return places_of(each for each in documents if chosen is None or each.id in chosen)

        shown = self.layer.shown() if self._present else []
        total, wanted = self._surveyed(places(), compared=bool(shown))
        kept = self._without_obsolete(shown, wanted)
        done = Done()
        for batch in _batches(places()):
            self._bring(batch, kept, done)
            if on_progress:
                on_progress(done.shown, total)
        return done

    def _read_present(self) -> None:
        found, twice = present_tasks(self.client, self.project)
        self._present = found
        self._newest = max((task.id for task in found.values()), default=0)
        self._remove_tasks(twice)

    def _chosen(self, documents: Iterable[Document], max_tasks: int, seed: int) -> set[str]:
        candidates = [Candidate.of(document) for document in documents]
        by_age = sorted(self._present.items(), key=lambda item: item[1].id)
        chosen = sample(candidates, size=max_tasks, seed=seed, first=dict.fromkeys(key[0] for key, _ in by_age))
        if candidates and not chosen:
            raise Unacceptable(
                f"{self.where}: each document has more than {max_tasks} sections; raise label_studio.max_tasks"
            )
        return chosen

    def _surveyed(self, places: Iterable[Place], *, compared: bool) -> tuple[int, dict[int, bytes]]:
        """How many sections there are and, if it is asked for, what those with a task should show, by the task's id."""
        classes, unknown = classes_of(self.view), []
        total, wanted = 0, {}
        for place in places:
            total += 1
            unknown += unknown_classes(place, classes)
            if compared and (present := self._present.get(_key(place))):
                wanted[present.id] = self.layer.digest(place.section)
        if unknown:
            raise Unacceptable(
                f"{self.where} cannot show {listed(unknown)}. Nothing was pushed; mend the documents or their schema"
            )
        return total, wanted

    def _without_obsolete(self, shown: Sequence[Shown], wanted: Mapping[int, bytes]) -> set[int]:
        """Remove what should not be shown (any more); the ids of the tasks that show what they should."""
        kept: set[int] = set()
        obsolete = []
        for each in shown:
            # What people made stands in place of what is pushed.
            if not each.removable or (wanted.get(each.task) == each.digest and each.task not in kept):
                kept.add(each.task)
            else:
                obsolete.append(each)
        if len(obsolete) > _CHEAPER_ALL_AT_ONCE * len(shown) and self.layer.clear(len(shown)):
            return set()
        for each in obsolete:
            self.layer.remove(each)
        return kept

    def _bring(self, batch: list[Place], kept: set[int], done: Done) -> None:
        """Show a batch: new tasks bring their spans along, other tasks get them where they have not got them yet."""
        new = {key: place for place in batch if (key := _key(place)) not in self._present}
        old = {self._present[key].id: place for place in batch if (key := _key(place)) in self._present}
        lacking = {task: place for task, place in old.items() if task not in kept}
        for place in old.values():
            self._rank(place)
        if new:
            self._import(new)
        if lacking:
            self._add(lacking)
        done.new_tasks += len(new)
        done.shown += len(batch)
        done.sent += len(new) + len(lacking)

    def _import(self, new: Mapping[TaskKey, Place]) -> None:
        """Make tasks that bring their spans along, in one request."""
        tasks = [
            {**task_of(place.document, place.number, priority=self._score(place)), **self.layer.attached(place.section)}
            for place in new.values()
        ]

        def newer() -> dict[TaskKey, PresentTask]:
            found, twice = present_tasks(self.client, self.project, after=self._newest)
            self._remove_tasks(twice)
            return found

        path, params = f"api/projects/{self.project}/import", {"return_task_ids": "true"}
        with self._explained(list(new.values())):
            answer = self.patience.settle(
                lambda: call(self.client, "POST", path, body=tasks, params=params),
                arrived=lambda: new.keys() <= newer().keys(),
            )
        if answer is None:
            arrived = newer()
        else:
            arrived = {key: PresentTask(task) for key, task in zip(new, answer["task_ids"], strict=False)}
            brought = answer["prediction_count"] + answer["annotation_count"]
            if brought < len(new):
                self._lost(list(new.values()), f"kept {brought} of {len(new)} {self.layer.name}")
        missing = [place for key, place in new.items() if key not in arrived]
        if missing:
            self._lost(missing, f"kept {len(new) - len(missing)} of {len(new)} tasks")
        self._present |= arrived
        self._newest = max(task.id for task in self._present.values())

    def _add(self, lacking: Mapping[int, Place]) -> None:
        """Show spans on tasks that are there already."""
        sections = {task: place.section for task, place in lacking.items()}
        with self._explained(list(lacking.values())):
            added = self.layer.add(sections, self.patience)
        if added < len(lacking):
            there = {each.task for each in self.layer.shown()}
            missing = [place for task, place in lacking.items() if task not in there]
            self._lost(missing, f"kept {added} of {len(lacking)} {self.layer.name}")

    def _rank(self, place: Place) -> None:
        """Give a task that is there already the priority of its document."""
        priority, task = self._score(place), self._present[_key(place)]
        if priority is None or priority == task.priority:
            return
        data = {**task.others, **task_of(place.document, place.number, priority=priority)["data"]}
        call(self.client, "PATCH", f"api/tasks/{task.id}/", body={"data": data})

    def _score(self, place: Place) -> float | None:
        return self.scores.get(place.document.id)

    def _remove_tasks(self, tasks: Sequence[PresentTask]) -> None:
        if tasks:
            body = {"selectedItems": {"all": False, "included": [task.id for task in tasks]}}
            params: dict[str, str | int] = {"id": "delete_tasks", "project": self.project}
            call(self.client, "POST", "api/dm/actions", params=params, body=body)

    @contextmanager
    def _explained(self, places: Sequence[Place]) -> Iterator[None]:
        """Name the spans that a server refuses aloud."""
        try:
            yield
        except ApiError as error:
            if error.status_code != _INVALID:
                raise
            self._lost(places, f"refused {len(places)} sections")

    def _lost(self, places: Sequence[Place], what: str) -> NoReturn:
        raise Unacceptable(
            f"{self.where} {what}: {listed(refused(places, self.view))}. See the server's log, and whether somebody "
            "changed the project's labelling view"
        )


def _key(place: Place) -> TaskKey:
    return key_of(task_of(place.document, place.number))


def _batches(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Places in order, in lists that make requests of a bounded size."""
    batch: list[Place] = []
    size = 0
    for place in places:
        batch.append(place)
        size += len(place.section.text) + _CHARACTERS_A_SPAN * len(place.section.spans)
        if len(batch) == _MOST_SECTIONS or size >= _MOST_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
