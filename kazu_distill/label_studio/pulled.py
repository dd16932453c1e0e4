"""What was read of a project in Label Studio, kept in a file, so that only what has changed is read again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson

from kazu_distill.errors import KazuDistillError

_TABLES = """
CREATE TABLE IF NOT EXISTS about (project TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY, stamp TEXT NOT NULL, document TEXT, section INTEGER, record BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS tasks_by_document ON tasks (document);
CREATE TABLE IF NOT EXISTS versions (prediction INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
"""
_IN_ORDER = """
SELECT record FROM tasks LEFT JOIN (SELECT document AS name, MIN(id) AS first FROM tasks GROUP BY document)
ON document = name ORDER BY COALESCE(first, id), section, id
"""
_DATA = ("text", "document", "section", "section_number", "source", "metadata")
_ANNOTATION = (
    "id", "completed_by", "was_cancelled", "ground_truth", "updated_at", "lead_time", "import_id", "parent_prediction",
    "result",
)  # fmt: skip


class UnusablePull(KazuDistillError):
    """The file of an earlier pull cannot be read or written."""


class PulledTasks:
    """The tasks of a project with their annotations, in a file of SQLite.

    A task's stamp is what tells whether anything of it has changed; it is compared for being the same, so no clock
    matters. What is written inside ``changing`` is there whole or not at all, however the process ends.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Make what is changed inside take place together."""
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def belong_to(self, project: str) -> None:
        """Forget everything unless it is of this project."""
        if self._connection.execute("SELECT project FROM about").fetchall() != [(project,)]:
            for table in ("about", "tasks", "versions", "people"):
                self._connection.execute(f"DELETE FROM {table}")
            self._connection.execute("INSERT INTO about VALUES (?)", (project,))

    def stamps(self) -> dict[int, str]:
        """The stamp of each task."""
        return dict(self._connection.execute("SELECT id, stamp FROM tasks"))

    def put(self, task: Mapping[str, Any], stamp: str) -> None:
        """Keep a task as it is now."""
        record = _kept(task)
        earlier = self._connection.execute("SELECT record FROM tasks WHERE id = ?", (record["id"],)).fetchone()
        if earlier:
            _keep_parents(record, orjson.loads(earlier[0]))
        document, section = record["data"].get("document"), record["data"].get("section_number")
        self._connection.execute(
            "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)",
            (
                record["id"],
                stamp,
                document if isinstance(document, str) else None,
                section if type(section) is int else None,
                orjson.dumps(record),
            ),
        )

    def forget(self, tasks: Iterable[int]) -> None:
        """Drop tasks that are gone."""
        self._connection.executemany("DELETE FROM tasks WHERE id = ?", ((task,) for task in tasks))

    def put_people(self, people: Mapping[int, str]) -> None:
        """Keep the e-mail addresses of users; those who are gone stay known."""
        self._connection.executemany("INSERT OR REPLACE INTO people VALUES (?, ?)", people.items())

    def people(self) -> dict[int, str]:
        """The e-mail address of each user id."""
        return dict(self._connection.execute("SELECT id, email FROM people"))

    def put_versions(self, versions: Mapping[int, str]) -> None:
        """Keep the model versions of predictions; they stay known when a version is replaced."""
        self._connection.executemany("INSERT OR REPLACE INTO versions VALUES (?, ?)", versions.items())

    def versions(self) -> dict[int, str]:
        """The model version of each prediction id that an annotation started from."""
        return dict(self._connection.execute("SELECT prediction, name FROM versions"))

    def records(self) -> Iterator[dict[str, Any]]:
        """The tasks; those of a document stand together, in the order of its sections and of their age."""
        for (record,) in self._connection.execute(_IN_ORDER):
            yield orjson.loads(record)


@contextmanager
def pulled_tasks(path: Path) -> Iterator[PulledTasks]:
    """Open the file, made if there is none.

    Raises:
        UnusablePull: it is something else, or another process is writing it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            connection.executescript(_TABLES)
            yield PulledTasks(connection)
        except sqlite3.DatabaseError as error:
            raise UnusablePull(
                f"{path}: what was pulled before cannot be used ({error}); see that no other pull is at work, or "
                "remove the file to read all anew"
            ) from error


def _kept(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task without what nobody asks for; Label Studio writes some things one way here and another there."""
    annotations = []
    for annotation in task["annotations"]:
        kept = {name: annotation.get(name) for name in _ANNOTATION}
        if isinstance(kept["completed_by"], dict):
            kept["completed_by"] = kept["completed_by"].get("id")
        annotations.append(kept)
    annotations.sort(key=lambda annotation: annotation["id"])
    return {
        "id": task["id"],
        "data": {name: value for name, value in task["data"].items() if name in _DATA},
        "annotations": annotations,
    }


def _keep_parents(record: Mapping[str, Any], earlier: Mapping[str, Any]) -> None:
    """Of annotations that nobody has changed, keep the prediction that they started from.

    Label Studio forgets it when the model version is pushed again.
    """
    before = {annotation["id"]: annotation for annotation in earlier["annotations"]}
    for annotation in record["annotations"]:
        same = before.get(annotation["id"])
        if same and annotation["parent_prediction"] is None and annotation["updated_at"] == same["updated_at"]:
            annotation["parent_prediction"] = same["parent_prediction"]
