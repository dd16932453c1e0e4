import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from kazu_distill.document_files import write_documents
from kazu_distill.errors import CorpusError
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.windows_table.processes import WorkerFailed
from kazu_distill.tagger.windows_table.table import WindowsTable
from tests.stages import REPOSITORY
from tests.tagger.windows_table.tables import LABELS, documents, folders, table_of, windower_of, written
from tests.work import calls


def test_a_second_time_the_table_is_read_and_not_made(tmp_path: Path) -> None:
    small = written(tmp_path / "small.jsonl", documents(10))
    large = written(tmp_path / "large.jsonl", documents(500))
    work = {}
    for file in (small, large):
        made = table_of(file, tmp_path / file.stem)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / file.stem).rglob("*.*")}
        again: list[WindowsTable] = []

        def read(file: Path = file, again: list[WindowsTable] = again) -> None:
            again.append(table_of(file, tmp_path / file.stem, on_progress=pytest.fail))

        work[file] = calls(read)
        assert again[0].rows.to_list() == made.rows.to_list()
        assert (again[0].key, again[0].alignment) == (made.key, made.alignment)
        assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / file.stem).rglob("*.*")}
    assert work[large] < 1.2 * work[small]


def test_everything_that_the_rows_depend_on_makes_another_table_and_the_old_one_goes(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(10))
    other = written(tmp_path / "other.jsonl", documents(10, seed=2))
    cache = tmp_path / "cache"
    changes: list[Callable[[], WindowsTable]] = [
        lambda: table_of(file, cache),
        lambda: table_of(other, cache),
        lambda: table_of([file, written(tmp_path / "more.jsonl", documents(1, prefix="m"))], cache),
        lambda: table_of(file, cache, windower=windower_of(max_length=9)),
        lambda: table_of(file, cache, windower=windower_of(stride=3)),
        lambda: table_of(file, cache, windower=windower_of("##in")),
        lambda: table_of(file, cache, scheme=label_scheme("io", LABELS)),
        lambda: table_of(file, cache, scheme=label_scheme("bio", LABELS[::-1])),
        lambda: table_of(file, cache, scheme=label_scheme("bio", [*LABELS, "cell"])),
    ]
    (cache / "mine").mkdir(parents=True)
    first = changes[0]()
    rows = first.rows.to_list()
    keys = set()
    for change in changes:
        key = change().key
        assert folders(cache) == sorted([key, "mine"])
        keys.add(key)
    assert len(keys) == len(changes)
    assert first.rows.to_list() == rows  # whoever has a table that went can still read it


def test_the_same_content_elsewhere_is_found(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(10))
    key = table_of(file, tmp_path / "cache").key
    moved = file.rename(tmp_path / "e.jsonl")
    assert table_of(moved, tmp_path / "cache", on_progress=pytest.fail).key == key


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.tagger.windows_table.tables import table_of
table_of(Path(sys.argv[1]), Path(sys.argv[2]), processes=int(sys.argv[3]), stretch_bytes=1000,
         on_progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_killed_run_leaves_is_not_used_and_is_removed(processes: int, tmp_path: Path) -> None:
    file, cache = written(tmp_path / "d.jsonl", documents(40)), tmp_path / "cache"
    command = [sys.executable, "-c", _KILLED, str(file), str(cache), str(processes)]
    killed = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert [name.startswith(".") for name in folders(cache)] == [True]
    table = table_of(file, cache)
    assert folders(cache) == [table.key]
    assert table.rows.to_list() == table_of(file, tmp_path / "other").rows.to_list()


def test_a_process_that_is_killed_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("children are found in /proc")
    file = written(tmp_path / "d.jsonl", documents(200))

    killed = Event()

    def kill_the_first_that_starts() -> None:
        while not killed.wait(0.001):
            for children in Path("/proc/self/task").glob("*/children"):
                with suppress(FileNotFoundError, ProcessLookupError):  # threads and processes that end meanwhile
                    for child in children.read_text().split():
                        if b"windows_table.processes" in Path(f"/proc/{child}/cmdline").read_bytes():
                            os.kill(int(child), signal.SIGKILL)
                            killed.set()

    killer = Thread(target=kill_the_first_that_starts)
    killer.start()
    try:
        with pytest.raises(WorkerFailed, match=r"d\.jsonl ended with status -9"):
            table_of(file, tmp_path / "cache", processes=2, stretch_bytes=500)
    finally:
        killed.set()
        killer.join()
    assert folders(tmp_path / "cache") == []


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(3))
    with pytest.raises(CorpusError, match="changed while being read"):
        table_of(file, tmp_path / "cache", on_progress=lambda *_: write_documents(file, documents(4)) and None)
    assert folders(tmp_path / "cache") == []
