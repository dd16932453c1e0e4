"""The answer store: what it remembers, who may use it at once, and its text form."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.llm.protocol import Answer, FinishReason, Request, Turn, Usage
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.stored_answer import StoreError, request_key
from tests.llm.asking import ANSWER, KEY, QUESTION, SCHEMA, client_of

IDENTITY = {"provider": "openai", "model": "m", "temperature": 0.3}

_texts = st.text(max_size=40)
_turns = st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), _texts), max_size=3).map(tuple)
_schemas = st.just(SCHEMA) | st.dictionaries(_texts, _texts, max_size=2)
_requests = st.builds(Request, _texts, _texts, _schemas, _turns, st.integers(0, 3))
_answers = st.builds(
    Answer,
    _texts,
    st.sampled_from(FinishReason),
    st.builds(Usage, st.integers(0, 2**40), st.integers(0, 2**40)),
    st.floats(0, 1e6),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(_requests, _answers), max_size=6))
def test_an_answer_comes_out_as_it_went_in_also_through_the_text_form(pairs: list[tuple[Request, Answer]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with AnswerStore(path / "a.sqlite") as store, AnswerStore(path / "b.sqlite") as other:
            for request, answer in pairs:
                store.put(IDENTITY, request, answer)
            last = {request_key(IDENTITY, request): answer for request, answer in pairs}
            assert store.export_jsonl(path / "answers.jsonl") == len(store) == len(last)
            assert other.import_jsonl(path / "answers.jsonl") == len(last)
            assert other.import_jsonl(path / "answers.jsonl") == 0
            for key, answer in last.items():
                assert store.get(key) == other.get(key) == answer
            other.export_jsonl(path / "again.jsonl")
        assert (path / "again.jsonl").read_bytes() == (path / "answers.jsonl").read_bytes()


def test_an_unknown_question_has_no_answer(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "new folder" / "a.sqlite") as store:
        assert store.get(request_key(IDENTITY, QUESTION)) is None


def test_a_store_is_read_again_after_it_was_closed(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        store.put(IDENTITY, QUESTION, ANSWER)
    with AnswerStore(str(tmp_path / "a.sqlite")) as store:
        assert store.get(request_key(IDENTITY, QUESTION)) == ANSWER


@pytest.mark.parametrize(
    ("identity", "request_"),
    [
        (IDENTITY | {"model": "n"}, QUESTION),
        (IDENTITY | {"temperature": 0.4}, QUESTION),
        (IDENTITY | {"provider": "local"}, QUESTION),
        (IDENTITY, replace(QUESTION, system="Find the drugs.")),
        (IDENTITY, replace(QUESTION, user="BRCA2")),
        (IDENTITY, replace(QUESTION, answer_schema={"type": "object"})),
        (IDENTITY, replace(QUESTION, sample=1)),
        (IDENTITY, replace(QUESTION, earlier=(Turn("user", "Before that."),))),
        (IDENTITY, replace(QUESTION, system=QUESTION.user, user=QUESTION.system)),
    ],
)
def test_whatever_determines_an_answer_changes_its_key(identity: dict[str, Any], request_: Request) -> None:
    assert request_key(identity, request_) != request_key(IDENTITY, QUESTION)


def test_the_order_of_keys_does_not_change_the_key() -> None:
    turned = dict(reversed(IDENTITY.items()))
    schema = dict(reversed(SCHEMA.items()))
    assert request_key(turned, replace(QUESTION, answer_schema=schema)) == request_key(IDENTITY, QUESTION)


def test_a_temperature_has_one_key_however_it_is_written() -> None:
    for provider in ("openai", "gemini"):
        whole, decimal = (client_of(provider, "http://127.0.0.1:1", temperature=value) for value in (1, 1.0))
        assert request_key(whole.identity, QUESTION) == request_key(decimal.identity, QUESTION)


def test_a_store_of_the_first_version_is_read_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AnswerStore(path) as store:
        store.put(IDENTITY, QUESTION, ANSWER)
    with sqlite3.connect(path) as old:  # as it was before requests had turns and samples
        old.executescript("ALTER TABLE answers DROP COLUMN earlier; ALTER TABLE answers DROP COLUMN sample;")
        old.execute("PRAGMA user_version = 1")
    old.close()
    later = replace(QUESTION, earlier=(Turn("user", "a"), Turn("assistant", "b")), sample=2)
    with AnswerStore(path) as store:
        assert store.get(request_key(IDENTITY, QUESTION)) == ANSWER
        store.put(IDENTITY, later, ANSWER)
        store.export_jsonl(tmp_path / "answers.jsonl")
    with AnswerStore(tmp_path / "b.sqlite") as other:
        assert other.import_jsonl(tmp_path / "answers.jsonl") == 2
        assert other.get(request_key(IDENTITY, later)) == ANSWER


def test_instructions_are_kept_once(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        for number in range(20):
            store.put(IDENTITY, replace(QUESTION, user=str(number)), ANSWER)
        store.export_jsonl(tmp_path / "answers.jsonl")
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert kinds == ["instructions"] + ["answer"] * 20
    assert sqlite3.connect(tmp_path / "a.sqlite").execute("SELECT count(*) FROM instructions").fetchone() == (1,)


_WRITER = """
import sys
from dataclasses import replace
from kazu_distill.llm.store import AnswerStore
from tests.llm.asking import ANSWER, QUESTION
path, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
with AnswerStore(path) as store:
    for i in range(number):
        store.put({"model": name}, replace(QUESTION, user=str(i)), ANSWER)
        print(i, flush=True)
"""


def _writer(path: Path, name: str, number: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), name, str(number)], stdout=subprocess.PIPE, text=True
    )


def test_several_processes_write_one_store_at_once(tmp_path: Path) -> None:
    writers = [_writer(tmp_path / "a.sqlite", name, 50) for name in "abcd"]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with AnswerStore(tmp_path / "a.sqlite") as store:
        assert len(store) == 200


def test_a_store_waits_for_another_that_writes(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.1, other.rollback).start()
        store.put(IDENTITY, QUESTION, ANSWER)
        assert len(store) == 1


def test_a_process_that_is_killed_loses_nothing_that_it_had_put(tmp_path: Path) -> None:
    writer = _writer(tmp_path / "a.sqlite", "a", 1_000_000)
    assert writer.stdout is not None
    put = [writer.stdout.readline() for _ in range(25)]
    os.kill(writer.pid, signal.SIGKILL)
    put += writer.communicate()[0].splitlines()
    assert writer.returncode == -signal.SIGKILL
    with AnswerStore(tmp_path / "a.sqlite") as store:
        for i in range(len(put) - 1):  # the last line may be cut
            assert store.get(request_key({"model": "a"}, replace(QUESTION, user=str(i)))) == ANSWER


@pytest.mark.parametrize("content", [b"not a database, and long enough not to be taken for an empty one" * 9, b"x"])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.sqlite.*not a database"):
        AnswerStore(tmp_path / "a.sqlite")
    assert (tmp_path / "a.sqlite").read_bytes() == content


def test_a_damaged_store_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with AnswerStore(path) as store:
        for number in range(200):
            store.put(IDENTITY, replace(QUESTION, user=str(number)), ANSWER)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with AnswerStore(path) as store, pytest.raises(StoreError, match=r"a\.sqlite.*malformed"):
        store.get("any")


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("CREATE TABLE answers (x)")
    with pytest.raises(StoreError, match="not an answer store"):
        AnswerStore(tmp_path / "a.sqlite")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        AnswerStore(tmp_path)


_CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "question"}, "neither instructions nor answer"),
    ({"instructions": "0" * 64}, "no line before this one"),
    ({"finish_reason": "tired"}, "'tired' is not a valid FinishReason"),
    ({"input_tokens": -1}, "negative"),
    ({"output_tokens": "7"}, "output_tokens is of the wrong type"),
    ({"output_tokens": True}, "output_tokens is of the wrong type"),
    ({"latency_s": -0.5}, "latency_s"),
    ({"latency_s": float("nan")}, "latency_s"),
    ({"identity": []}, "identity is of the wrong type"),
    ({"user": None}, "user is of the wrong type"),
    ({"text": 5}, "text is of the wrong type"),
    ({"time": "yesterday"}, "yesterday"),
]


@pytest.mark.parametrize(("change", "reason"), _CHANGES)
def test_a_broken_line_is_named_and_nothing_is_imported(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    lines = _exported(tmp_path)
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    _refuses(tmp_path, lines, 3, reason)


@pytest.mark.parametrize("missing", ["kind", "identity", "user", "text", "time", "finish_reason", "instructions"])
def test_a_line_without_a_value_is_named(tmp_path: Path, missing: str) -> None:
    lines = _exported(tmp_path)
    lines[2] = json.dumps({name: value for name, value in json.loads(lines[2]).items() if name != missing})
    _refuses(tmp_path, lines, 3, f"{missing} is missing")


@pytest.mark.parametrize("line", ['{"kind": "ans', "[]", "", "5", "[" * 100_000])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    lines = _exported(tmp_path)
    _refuses(tmp_path, [*lines, line], 4, "")


def test_instructions_that_were_changed_are_refused(tmp_path: Path) -> None:
    lines = _exported(tmp_path)
    lines[0] = json.dumps(json.loads(lines[0]) | {"system": "Find the drugs."})
    _refuses(tmp_path, lines, 1, "id is not that of the text")


def test_a_file_that_is_not_there_or_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with AnswerStore(tmp_path / "a.sqlite") as store:
        for name in ("missing", "binary"):
            with pytest.raises(StoreError, match=name):
                store.import_jsonl(tmp_path / name)


def test_no_key_is_in_a_store_or_its_text_form(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        for provider in ("openai", "azure", "gemini"):
            store.put(client_of(provider, "http://127.0.0.1:1").identity, QUESTION, ANSWER)
        store.export_jsonl(tmp_path / "answers.jsonl")
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()


def _exported(folder: Path) -> list[str]:
    """The text form of two answers: a line of instructions, then theirs."""
    with AnswerStore(folder / "a.sqlite") as store:
        for user in ("one", "two"):
            store.put(IDENTITY, replace(QUESTION, user=user), ANSWER)
        store.export_jsonl(folder / "answers.jsonl")
    return (folder / "answers.jsonl").read_text().splitlines()


def _refuses(folder: Path, lines: list[str], number: int, reason: str) -> None:
    path = folder / "broken.jsonl"
    path.write_text("\n".join(lines) + "\n")
    with AnswerStore(folder / "b.sqlite") as store:
        with pytest.raises(StoreError) as caught:
            store.import_jsonl(path)
        assert str(caught.value).startswith(f"{path}:{number}: ")
        assert reason in str(caught.value)
        assert len(store) == 0
