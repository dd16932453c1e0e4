"""Pushes in the background: whatever is wrong, the run goes on, is told once, and nothing is lost."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.background import BackgroundPushes
from kazu_distill.label_studio.outbox import waiting
from kazu_distill.label_studio.project import LabelStudioProject, Pushed
from tests.full_disk import full_disk
from tests.label_studio.broken_servers import mute_server, refusing_server
from tests.label_studio.examples import project_on
from tests.label_studio.server import REPOSITORY, Server, free_port
from tests.label_studio.test_outbox import kept_versions
from tests.label_studio.test_project import DOCUMENTS, read_back, sent_spans, shown_spans

TOKEN = "TEST_LABEL_STUDIO_TOKEN"
LONG = 60.0  # seconds; no test takes as long


class Pushes(BackgroundPushes):
    """Background pushes that keep what they say."""

    def __init__(self, project: LabelStudioProject, outbox: Path) -> None:
        self.shown: list[Pushed] = []
        self.said: list[str] = []
        self.when_it_waits: Callable[[], None] = lambda: None
        super().__init__(project=project, title="title", outbox=outbox, on_shown=self.shown.append, say=self._note)

    def _note(self, sentence: str) -> None:
        self.said.append(sentence)
        self.when_it_waits()


@pytest.fixture(autouse=True)
def token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    is_real = request.node.get_closest_marker("label_studio")
    monkeypatch.setenv(TOKEN, request.getfixturevalue("server").token if is_real else "0" * 40)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was warned of, but for what is left at the end."""
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [message for message in messages if "does not show all yet" not in message]


def handed_over(pushes: Pushes, *model_versions: str) -> None:
    """Hand versions over, each when the one before was tried."""
    for model_version in model_versions:
        pushes.hand_over(DOCUMENTS, model_version=model_version)
        pushes.finish(patience=LONG)


@contextmanager
def fault(kind: str) -> Iterator[tuple[str, float]]:
    """An address with something wrong, and how long to wait for an answer there."""
    if kind == "down":
        yield f"http://127.0.0.1:{free_port()}", LONG
    elif kind == "mute":
        with mute_server() as mute:
            yield mute.url, 0.05
    else:
        with refusing_server(int(kind), '{"detail": "no space left on device"}') as (url, _):
            yield url, LONG


@pytest.mark.parametrize("kind", ["down", "mute", "500", "401", "502"])
def test_each_fault_is_one_warning_and_every_version_is_kept(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with fault(kind) as (url, timeout):
        pushes = Pushes(project_on(url, "title", timeout=timeout), tmp_path / "outbox")
        handed_over(pushes, "gold", "step 10", "step 20", "step 30")
    (warning,) = warnings(caplog)
    assert url in warning
    assert f"kept in {tmp_path / 'outbox'}" in warning
    assert kept_versions(tmp_path / "outbox") == ["gold", "step 10", "step 20", "step 30"]
    assert pushes.shown == []


def test_another_fault_is_another_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = Pushes(project_on(f"http://127.0.0.1:{free_port()}", "title"), tmp_path)
    handed_over(pushes, "gold")
    monkeypatch.delenv(TOKEN)
    handed_over(pushes, "step 10", "step 20")
    assert [TOKEN in warning for warning in warnings(caplog)] == [False, True]


def test_whoever_hands_over_never_waits_for_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with mute_server() as mute:
        pushes = Pushes(project_on(mute.url, "title", timeout=LONG), tmp_path)
        handed = threading.Event()

        def training() -> None:
            for step in range(50):
                pushes.hand_over(DOCUMENTS, model_version=f"step {step}")
                assert mute.asked.wait(LONG)
            pushes.finish(patience=0)
            handed.set()

        threading.Thread(target=training, daemon=True).start()
        assert handed.wait(LONG)
        assert not mute.let_go.is_set(), "the request is still under way"
    assert len(waiting(tmp_path)) == 50


def test_the_end_says_how_long_it_waits_and_what_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with mute_server() as mute:
        pushes = Pushes(project_on(mute.url, "title", timeout=LONG), tmp_path)
        for model_version in ("gold", "step 10"):
            pushes.hand_over(DOCUMENTS, model_version=model_version)
        pushes.finish(patience=0.05)
    assert pushes.said == ["Label Studio: 2 pushes left, waiting up to 0.05 s"]
    (left,) = [record.getMessage() for record in caplog.records if "does not show all yet" in record.getMessage()]
    assert f"python -m kazu_distill.review push outbox={tmp_path}" in left


def test_ctrl_c_ends_the_waiting(tmp_path: Path) -> None:
    with mute_server() as mute:
        pushes = Pushes(project_on(mute.url, "title", timeout=LONG), tmp_path)
        pushes.hand_over(DOCUMENTS, model_version="gold")
        assert mute.asked.wait(LONG)
        pushes.when_it_waits = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start
        pushes.finish(patience=10 * LONG)
    assert kept_versions(tmp_path) == ["gold"]


def test_after_kill_9_the_outbox_has_what_was_handed_over(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from tests.label_studio.test_background import DOCUMENTS, LONG, Pushes, project_on
pushes = Pushes(project_on(sys.argv[1], "title", timeout=LONG), Path(sys.argv[2]))
for model_version in ("gold", "step 10"):
    pushes.hand_over(DOCUMENTS, model_version=model_version)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with mute_server() as mute:
        done = subprocess.run([sys.executable, "-c", program, mute.url, str(tmp_path)], cwd=REPOSITORY, check=False)
    assert done.returncode == -signal.SIGKILL
    assert kept_versions(tmp_path) == ["gold", "step 10"]


def test_where_nothing_can_be_kept_or_shown_each_loss_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = tmp_path / "outbox"
    outbox.write_text("a file where the folder should be")
    pushes = Pushes(project_on(f"http://127.0.0.1:{free_port()}", "title"), outbox)
    handed_over(pushes, "gold", "step 10")
    said = warnings(caplog)
    assert [f"{outbox}: what Label Studio is to show cannot be kept there" in each for each in said].count(True) == 1
    assert ["nothing answers there" in each for each in said].count(True) == 1
    for model_version in ("gold", "step 10"):
        assert f'Label Studio: "{model_version}" could be neither shown nor kept in {outbox}' in said


def test_the_memory_holds_a_few_versions_where_the_disk_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mute_server() as mute:
        pushes = Pushes(project_on(mute.url, "title", timeout=LONG), tmp_path)
        pushes.hand_over(DOCUMENTS, model_version="gold")
        assert mute.asked.wait(LONG)
        with full_disk():
            for step in range(6):
                pushes.hand_over(DOCUMENTS, model_version=f"step {step}")
        pushes.finish(patience=0)
    # The disk has room again at the end, for those that were still in memory.
    assert kept_versions(tmp_path) == ["gold", *(f"step {step}" for step in range(2, 6))]
    lost = [each for each in warnings(caplog) if "neither shown nor kept" in each]
    assert ["step 0" in lost[0], "step 1" in lost[1]] == [True, True]
    assert len(lost) == 2


@pytest.mark.label_studio
def test_a_full_disk_does_not_keep_documents_from_being_shown(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pushes = Pushes(project_on(server.url, "the disk is full"), tmp_path)
    with full_disk():
        handed_over(pushes, "gold", "step 10")
    (warning,) = warnings(caplog)
    assert "cannot be kept there" in warning
    tasks = read_back(server, pushes.shown[0])
    assert shown_spans(tasks, "gold") == shown_spans(tasks, "step 10") == sent_spans(DOCUMENTS)


@pytest.mark.label_studio
def test_when_the_server_is_well_again_it_is_said_and_everything_is_shown(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushes = Pushes(project_on(server.url, "well again"), tmp_path)
    monkeypatch.setenv(TOKEN, "f" * 40)
    handed_over(pushes, "gold", "step 10")
    monkeypatch.setenv(TOKEN, server.token)
    handed_over(pushes, "step 20", "step 30")
    monkeypatch.setenv(TOKEN, "f" * 40)
    handed_over(pushes, "step 40")
    assert [f"{TOKEN} was not accepted" in warning for warning in warnings(caplog)] == [True, True]
    assert "f" * 40 not in caplog.text
    assert [sentence for sentence in pushes.said if "waiting" not in sentence] == ["Label Studio: pushes succeed again"]
    (first,) = pushes.shown
    tasks = read_back(server, first)
    for model_version in ("gold", "step 10", "step 20", "step 30"):
        assert shown_spans(tasks, model_version) == sent_spans(DOCUMENTS)
    assert kept_versions(tmp_path) == ["step 40"]


@pytest.mark.label_studio
def test_a_version_that_the_server_refuses_is_tried_once_and_holds_nothing_up(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = Document("PMID:3", (Section("title", "BRCA1", (Span(0, 5, "not a class"),)),))
    pushes = Pushes(project_on(server.url, "refused once"), tmp_path)
    for step in (10, 20):
        pushes.hand_over([unknown], model_version=f"step {step}")
        pushes.finish(patience=LONG)
    handed_over(pushes, "gold")
    (warning,) = warnings(caplog)
    assert "not a class" in warning
    assert kept_versions(tmp_path) == ["step 10", "step 20"]
    assert shown_spans(read_back(server, pushes.shown[0]), "gold")[("PMID:2", 1)] == [()]
