"""Documents that wait to be shown in Label Studio: files that its own import dialog takes, and that we send later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from label_studio_sdk.core.api_error import ApiError

from kazu_distill.document_files import atomic_writer, document_from_record, document_to_record, json_values
from kazu_distill.documents import Document, InvalidDocument
from kazu_distill.errors import CorpusError, KazuDistillError
from kazu_distill.label_studio.errors import LabelStudioError, Unacceptable
from kazu_distill.label_studio.project import LabelStudioProject, Pushed
from kazu_distill.label_studio.tasks import annotation_of, prediction_of, task_of

_OURS = "kazu_distill"  # the key in a task's "meta", where Label Studio keeps what it does not show
_NAME = re.compile(r"(\d+)-(.*)\.json")
_GOLD = "@gold"  # in place of a version's name, in which an @ is quoted
_REFUSED_CONTENT = {400, 413, 422}  # HTTP statuses that another version need not meet


@dataclass(frozen=True, slots=True)
class Kept:
    """What waits: a model version's name (None: it is gold), its documents, the title of the project to show it."""

    model_version: str | None
    documents: list[Document]
    title: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending came to: the files whose versions are shown now, and what kept each of the others from it."""

    shown: dict[Path, Pushed]
    left: dict[Path, KazuDistillError]


def keep(folder: Path, documents: Sequence[Document], *, model_version: str | None, title: str) -> Path:
    """Write a file for a model version, behind those that are there; an earlier one of the same version goes.

    It holds a JSON list of tasks with predictions, or annotations for gold. The first task of a document carries the
    whole document, so that it is read back exactly. Documents without sections have no task, and are not kept.

    Args:
        folder: the outbox, made if there is none.
        documents: with the spans that are to be shown.
        model_version: what to show them as; None: as gold.
        title: of the project that is to show them.

    Raises:
        OSError: it cannot be written; what was there stays.
    """
    slug = _slug(model_version)
    earlier = {path: _NAME.fullmatch(path.name) for path in waiting(folder)}
    number = max((int(match[1]) for match in earlier.values() if match), default=0) + 1
    path = folder / f"{number:04}-{slug}.json"
    with atomic_writer(path) as file:
        separator = b"[\n"
        for task in _tasks(documents, model_version, title):
            file.write(separator + orjson.dumps(task))
            separator = b",\n"
        file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")
    for other, match in earlier.items():
        if match and match[2] == slug:
            other.unlink(missing_ok=True)
    return path


def waiting(folder: Path) -> list[Path]:
    """The files of an outbox in the order in which they are to be sent; none where there is no such folder."""
    files = [path for path in folder.glob("*.json") if _NAME.fullmatch(path.name)]
    return sorted(files, key=lambda path: int(path.name.partition("-")[0]))


def read_kept(path: Path) -> Kept | None:
    """What a file of an outbox holds; None if it has no task.

    Raises:
        CorpusError: it is not as it was written.
    """
    try:
        tasks = json_values(path.read_bytes())
        if not isinstance(tasks, list):
            raise InvalidDocument("not a list")
        notes = [task["meta"][_OURS] for task in tasks]
        documents = [document_from_record(note["document"]) for note in notes if "document" in note]
        return Kept(notes[0]["model_version"], documents, notes[0]["project"]) if notes else None
    except (InvalidDocument, LookupError, TypeError) as error:
        raise CorpusError(
            f"{path}: this is not a file that training kept for Label Studio ({error}); mend it or move it away"
        ) from error


def title_of(folder: Path) -> str | None:
    """The title of the project that an outbox is for; None if it is empty.

    Raises:
        CorpusError: its newest file is not as it was written.
    """
    newest = next(filter(None, map(read_kept, reversed(waiting(folder)))), None)
    return newest.title if newest else None


def send_outbox(project: LabelStudioProject, folder: Path, *, passing_over: Set[Path] = frozenset()) -> Sent:
    """Show what waits in an outbox, in order; a file goes when Label Studio has shown what it holds.

    What the server takes exception to for itself is left, and the next one is sent. When the server cannot be used at
    all, nothing further is tried. Sending again what was shown already changes nothing.

    Args:
        project: where to show it.
        folder: the outbox.
        passing_over: files that are not to be sent.

    Raises:
        OSError: a file cannot be read or removed.
    """
    shown: dict[Path, Pushed] = {}
    left: dict[Path, KazuDistillError] = {}
    unusable: LabelStudioError | None = None
    for path in waiting(folder):
        if path in passing_over:
            continue
        if unusable:
            left[path] = unusable
            continue
        try:
            kept = read_kept(path)
            if kept:
                shown[path] = push_as(project, kept.documents, kept.model_version)
        except FileNotFoundError:  # a newer file of the same version has taken its place
            continue
        except LabelStudioError as error:
            left[path] = error
            unusable = None if concerns_content(error) else error
        except CorpusError as error:
            left[path] = error
        else:
            path.unlink(missing_ok=True)
    return Sent(shown, left)


def push_as(project: LabelStudioProject, documents: Sequence[Document], model_version: str | None) -> Pushed:
    """Show documents as a model version, or as gold where that is None."""
    if model_version is None:
        return project.push_gold(documents)
    return project.push(documents, model_version=model_version)


def concerns_content(error: LabelStudioError) -> bool:
    """Whether an error is about what was sent, so that something else may well be accepted."""
    cause = error.__cause__
    return isinstance(error, Unacceptable) or (isinstance(cause, ApiError) and cause.status_code in _REFUSED_CONTENT)


def _tasks(documents: Sequence[Document], model_version: str | None, title: str) -> Iterator[dict[str, Any]]:
    for document in documents:
        for number, section in enumerate(document.sections):
            note: dict[str, Any] = {"project": title, "model_version": model_version}
            if number == 0:
                note["document"] = document_to_record(document)
            shown: dict[str, Any]
            if model_version is None:
                annotation = annotation_of(section)
                # Label Studio keeps the id that an imported annotation had elsewhere, by which it is known again.
                shown = {"annotations": [{**annotation, "id": annotation["import_id"]}]}
            else:
                shown = {"predictions": [prediction_of(section, model_version=model_version)]}
            yield {**task_of(document, number), **shown, "meta": {_OURS: note}}


def _slug(model_version: str | None) -> str:
    """A model version as a part of a file's name; different versions have different ones."""
    if model_version is None:
        return _GOLD
    quoted = quote(model_version, safe=" ", errors="surrogatepass")
    return quoted.replace("_", "%5F").replace(" ", "_")
