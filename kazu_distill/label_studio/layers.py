"""What is shown on tasks beside the text: the predictions of a model version, or gold as ground truth.

Both are kept in step with the documents in the same way, and reach the server in different ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from label_studio_sdk import LabelStudio

from kazu_distill.documents import Section
from kazu_distill.label_studio.connection import call
from kazu_distill.label_studio.contents import Shown, shown_ground_truth, shown_predictions, versions
from kazu_distill.label_studio.patience import Patience
from kazu_distill.label_studio.tasks import annotation_of, digest_of, mark_of, prediction_of, regions_of

_LEAST_TO_CLEAR = 60.0  # seconds
_TO_CLEAR_ONE = 0.05


class Layer(Protocol):
    """One thing that is shown on the tasks of a project; a task has it once at most."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def digest(self, section: Section) -> bytes:
        """The hash that the section's ``Shown`` has when it is on the server."""
        ...

    def attached(self, section: Section) -> dict[str, Any]:
        """The fields of a new task that bring it along."""
        ...

    def shown(self) -> list[Shown]:
        """What is on the server, the oldest first."""
        ...

    def add(self, sections: Mapping[int, Section], patience: Patience) -> int:
        """Show sections on tasks that are there already, by the tasks' ids; how many the server kept."""
        ...

    def remove(self, shown: Shown) -> None:
        """Take one away."""
        ...

    def clear(self, shown: int) -> bool:
        """Take all of so many away at once; False, and nothing is done, where that is impossible."""
        ...


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions of a model version."""

    client: LabelStudio
    project: int
    model_version: str

    @property
    def name(self) -> str:
        return f'predictions of "{self.model_version}"'

    def digest(self, section: Section) -> bytes:
        return digest_of(regions_of(section))

    def attached(self, section: Section) -> dict[str, Any]:
        return {"predictions": [prediction_of(section, model_version=self.model_version)]}

    def shown(self) -> list[Shown]:
        return shown_predictions(self.client, self.project, self.model_version) if self._count() else []

    def add(self, sections: Mapping[int, Section], patience: Patience) -> int:
        predictions = [
            {**prediction_of(section, model_version=self.model_version), "task": task}
            for task, section in sections.items()
        ]
        path, before = f"api/projects/{self.project}/import/predictions", self._count()
        answer = patience.settle(
            lambda: call(self.client, "POST", path, body=predictions),
            arrived=lambda: self._count() >= before + len(predictions),
        )
        # Predictions that it finds invalid are left out without an error.
        return self._count() - before if answer is None else int(answer["created"])

    def remove(self, shown: Shown) -> None:
        call(self.client, "DELETE", f"api/predictions/{shown.id}/")

    def clear(self, shown: int) -> bool:
        path, body = f"api/projects/{self.project}/model-versions/", {"model_version": self.model_version}
        call(self.client, "DELETE", path, body=body, timeout=_LEAST_TO_CLEAR + _TO_CLEAR_ONE * shown)
        return True

    def _count(self) -> int:
        return versions(self.client, self.project).get(self.model_version, 0)


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Gold, as an annotation that is marked as ground truth."""

    client: LabelStudio
    project: int

    @property
    def name(self) -> str:
        return "ground truth"

    def digest(self, section: Section) -> bytes:
        return mark_of(regions_of(section)).to_bytes(8, "big")

    def attached(self, section: Section) -> dict[str, Any]:
        annotation = annotation_of(section)
        # Label Studio keeps the id that an imported annotation had elsewhere, which is where our mark goes.
        return {"annotations": [{**annotation, "id": annotation["import_id"]}]}

    def shown(self) -> list[Shown]:
        return shown_ground_truth(self.client, self.project)

    def add(self, sections: Mapping[int, Section], patience: Patience) -> int:
        # Label Studio imports annotations in bulk with new tasks only.
        for task, section in sections.items():
            self._annotate(f"api/tasks/{task}/annotations/", annotation_of(section), patience)
        return len(sections)

    def remove(self, shown: Shown) -> None:
        call(self.client, "DELETE", f"api/annotations/{shown.id}/")

    def clear(self, shown: int) -> bool:  # noqa: ARG002 (people's annotations are among them)
        return False

    def _annotate(self, path: str, annotation: Mapping[str, Any], patience: Patience) -> None:
        def arrived() -> bool:
            there = call(self.client, "GET", path)
            return any(each.get("import_id") == annotation["import_id"] for each in there)

        patience.settle(lambda: call(self.client, "POST", path, body=annotation), arrived=arrived)
