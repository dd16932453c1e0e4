"""The answer store: one SQLite file that remembers every answer, so that no question is paid for twice."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kazu_distill.llm.protocol import Answer, FinishReason, Request, Turn, Usage
from kazu_distill.llm.stored_answer import (
    StoredAnswer,
    StoreError,
    canonical,
    instructions_id,
    lines,
    read_lines,
    request_key,
)

_VERSION = 2  # of the tables, kept in the file's user_version
_PATIENCE_S = 60.0  # how long to wait for another process that writes
_TABLES = """
CREATE TABLE IF NOT EXISTS instructions (id TEXT PRIMARY KEY, system TEXT NOT NULL, answer_schema TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    instructions TEXT NOT NULL REFERENCES instructions (id),
    user TEXT NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    latency_s REAL NOT NULL,
    time TEXT NOT NULL,
    earlier TEXT NOT NULL DEFAULT '[]',
    sample INTEGER NOT NULL DEFAULT 0
);
"""
_FROM_VERSION_1 = """
ALTER TABLE answers ADD COLUMN earlier TEXT NOT NULL DEFAULT '[]';
ALTER TABLE answers ADD COLUMN sample INTEGER NOT NULL DEFAULT 0;
"""
_ANSWER = "text, finish_reason, input_tokens, output_tokens, latency_s"


class AnswerStore:
    """Answers by what determines them; several processes may use one file at once.

    Every ``put`` is committed, so a process that is killed loses nothing that it had been told.

    Raises (every method):
        StoreError: the file is not an answer store, or cannot be read or written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._kept_instructions: set[str] = set()
        self._last: tuple[str, Mapping[str, Any], tuple[str, str]] | None = None
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite takes any file of less than a page for an empty one and would write over it.
            if self.path.is_file() and _head(self.path) not in (b"", b"SQLite format 3"):
                raise StoreError(f"{self.path}: the answer store cannot be used: it is not a database")
            self._connection = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
        try:
            with self._errors():
                self._open()
        except StoreError:
            self._connection.close()
            raise

    def get(self, key: str) -> Answer | None:
        """The answer under a ``request_key``."""
        with self._errors():
            row = self._connection.execute(f"SELECT {_ANSWER} FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else _answer(row)

    def put(self, identity: Mapping[str, Any], request: Request, answer: Answer, *, key: str | None = None) -> None:
        """Keep an answer; one that is there already under the same key is replaced.

        Args:
            identity: who answered.
            request: the question.
            answer: what came back.
            key: the ``request_key``, for a caller that has it already.
        """
        stored = StoredAnswer(identity, request, answer, datetime.now(UTC).isoformat(timespec="seconds"))
        instructions, _ = self._instructions(request)
        if instructions in self._kept_instructions:  # one statement is a transaction by itself
            with self._errors():
                self._insert_answer(stored, instructions, "REPLACE", key)
            return
        with self._transaction():
            self._insert(stored, "REPLACE", key)
        self._kept_instructions.add(instructions)

    def export_jsonl(self, path: Path | str) -> int:
        """Write the text form, in order of time; returns the number of answers."""
        path = Path(path)
        unfinished = path.with_name(path.name + ".part")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines(self._all()))
            unfinished.replace(path)
        except OSError as error:
            raise StoreError(f"{path}: {error}") from error
        return len(self)

    def import_jsonl(self, path: Path | str) -> int:
        """Add the answers of a text form, all or none; returns how many were new."""
        before = len(self)
        with self._transaction():
            for stored in read_lines(Path(path)):
                self._insert(stored, "IGNORE")
        return len(self) - before

    def __len__(self) -> int:
        """The number of answers."""
        with self._errors():
            return int(self._connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        """Make the tables where there are none yet.

        While one process turns a new file to WAL, SQLite tells another at once that it is locked, whatever the
        timeout, so waiting is up to us.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._prepare()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                self._connection.rollback()
                time.sleep(0.01)

    def _prepare(self) -> None:
        # Both in one transaction, or another process could make the tables in between.
        self._connection.execute("BEGIN")
        version = self._user_version()
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        self._connection.execute("COMMIT")
        if version not in (1, _VERSION) and (version or tables):
            raise StoreError(f"{self.path} is a database, but not an answer store of this version")
        # With WAL, NORMAL loses nothing when the process dies; only a power cut can take the last answers.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        # The log goes into the file seldom (pages of 4 kB): that waits for the disk, and all requests with it.
        self._connection.execute("PRAGMA wal_autocheckpoint = 10000")
        if version != _VERSION:
            self._connection.execute("BEGIN IMMEDIATE")
            # Looked at anew: another process may have been faster.
            statements = {0: _TABLES, 1: _FROM_VERSION_1}.get(self._user_version(), "")
            for statement in statements.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            self._connection.execute("COMMIT")

    def _user_version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _insert(self, stored: StoredAnswer, conflict: str, key: str | None = None) -> None:
        instructions, answer_schema = self._instructions(stored.request)
        self._connection.execute(
            "INSERT OR IGNORE INTO instructions VALUES (?, ?, ?)", (instructions, stored.request.system, answer_schema)
        )
        self._insert_answer(stored, instructions, conflict, key)

    def _insert_answer(self, stored: StoredAnswer, instructions: str, conflict: str, key: str | None) -> None:
        request, answer = stored.request, stored.answer
        self._connection.execute(
            f"INSERT OR {conflict} INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key or request_key(stored.identity, request),
                canonical(dict(stored.identity)),
                instructions,
                request.user,
                answer.text,
                answer.finish_reason.value,
                answer.usage.input_tokens,
                answer.usage.output_tokens,
                answer.latency_s,
                stored.time,
                canonical([[turn.role, turn.text] for turn in request.earlier]),
                request.sample,
            ),
        )

    def _instructions(self, request: Request) -> tuple[str, str]:
        """Id of a request's instructions, and its answer schema as it is kept; they are the same for all of a run."""
        last = self._last
        if last is None or last[0] is not request.system or last[1] is not request.answer_schema:
            made = (instructions_id(request), canonical(dict(request.answer_schema)))
            self._last = last = (request.system, request.answer_schema, made)
        return last[2]

    def _all(self) -> Iterator[StoredAnswer]:
        query = f"""SELECT {_ANSWER}, identity, system, user, answer_schema, time, earlier, sample
            FROM answers JOIN instructions ON instructions.id = instructions ORDER BY time, key"""
        with self._errors():
            for row in self._connection.execute(query):
                identity, system, user, schema, put_at, earlier, sample = row[5:]
                turns = tuple(Turn(*turn) for turn in json.loads(earlier))
                request = Request(system, user, json.loads(schema), turns, sample)
                yield StoredAnswer(json.loads(identity), request, _answer(row), put_at)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            # IMMEDIATE: a transaction that turned from reading to writing could not wait for another writer.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: the answer store cannot be used: {error}") from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(15)


def _answer(row: tuple[Any, ...]) -> Answer:
    text, finish_reason, input_tokens, output_tokens, latency_s = row[:5]
    return Answer(text, FinishReason(finish_reason), Usage(input_tokens, output_tokens), latency_s)
