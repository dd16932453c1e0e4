"""Whatever is wrong with the server, a push says so in one line and soon."""

from __future__ import annotations

import json
import socket
import time

import pytest

from kazu_distill.documents import Document, Section
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.view import labelling_view
from tests.label_studio.broken_servers import VERSION, answering
from tests.label_studio.examples import SCHEMA, project_on
from tests.label_studio.server import free_port

DOCUMENTS = [Document("PMID:1", (Section("title", "BRCA1"),))]
TOKEN = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", TOKEN)


def pushed_error(url: str, *, timeout: float = 60.0) -> str:
    """The message of the error of a push; the token is never in it."""
    with pytest.raises(LabelStudioError) as caught:
        project_on(url, "faults", timeout=timeout).push(DOCUMENTS, model_version="gold")
    message = str(caught.value)
    assert url in message
    assert "\n" not in message
    assert TOKEN not in message
    return message


def test_a_server_that_is_down_is_noticed_within_seconds() -> None:
    begin = time.monotonic()
    message = pushed_error(f"http://127.0.0.1:{free_port()}")
    assert time.monotonic() - begin < 30
    assert "nothing answers there" in message
    assert "scripts/label_studio.sh" in message
    assert "label_studio=off" in message


def test_a_server_that_accepts_and_says_nothing_runs_into_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        message = pushed_error(f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.5)
    assert "no answer in time" in message
    assert "label_studio.timeout" in message


def test_a_host_that_does_not_exist_is_named() -> None:
    assert "nothing answers there" in pushed_error("http://no-such-host.invalid:8080")


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    assert "label_studio.url" in pushed_error(url)


@pytest.mark.parametrize(
    "answer", [(200, "<html>a wiki</html>"), (200, "[]"), (404, "{}")], ids=["html", "json", "404"]
)
def test_another_program_on_the_port_is_not_taken_for_label_studio(answer: tuple[int, str]) -> None:
    with answering({}, otherwise=answer) as (url, _):
        assert "is not a Label Studio" in pushed_error(url)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://127.0.0.1:9/api/version", "https://127.0.0.1:9; set"),
        ("/label-studio/api/version", "/label-studio; set"),
        ("/login?next=/", "/login?next=/; set"),
    ],
)
def test_a_redirect_says_where_to(location: str, said: str) -> None:
    with answering({}, otherwise=(302, ""), location=location) as (url, _):
        message = pushed_error(url)
    assert "is not a Label Studio but a redirect to" in message
    assert said in message


@pytest.mark.parametrize("body", ["", "<h1>Server\nError</h1>", '{"detail": "database is locked"}', "x" * 9999])
def test_a_server_that_fails_is_quoted_in_one_short_line_and_asked_once(body: str) -> None:
    with answering({"/api/version": (200, VERSION)}, otherwise=(500, body)) as (url, asked):
        message = pushed_error(url)
    assert "the server answered 500" in message
    assert len(message) < 600
    assert asked == ["GET /api/version", "GET /api/projects"]


def test_a_failed_import_is_not_sent_again() -> None:
    project = {"id": 1, "title": "faults", "label_config": labelling_view(SCHEMA)}
    answers = {
        "/api/version": (200, VERSION),
        "/api/projects": (200, json.dumps({"count": 1, "results": [project]})),
        "/api/tasks": (200, json.dumps({"tasks": [], "total": 0})),
    }
    with answering(answers, otherwise=(502, "bad gateway")) as (url, asked):
        assert "the server answered 502" in pushed_error(url)
    assert asked.count("POST /api/projects/1/import") == 1


def test_a_server_that_is_ill_from_the_start_is_not_called_another_program() -> None:
    with answering({}, otherwise=(503, "starting")) as (url, _):
        assert "the server answered 503" in pushed_error(url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_names_the_variable(status: int) -> None:
    answers = {"/api/version": (200, VERSION)}
    with answering(answers, otherwise=(status, '{"detail": "Invalid token."}')) as (url, _):
        message = pushed_error(url)
    assert "TEST_LABEL_STUDIO_TOKEN was not accepted" in message
    assert "Invalid token." in message


def test_a_missing_token_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_LABEL_STUDIO_TOKEN")
    assert "TEST_LABEL_STUDIO_TOKEN is not set" in pushed_error("http://127.0.0.1:8080")


def test_a_token_that_no_header_can_hold_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", "tökén")
    with answering({"/api/version": (200, VERSION)}, otherwise=(200, "{}")) as (url, _):
        assert "TEST_LABEL_STUDIO_TOKEN" in pushed_error(url)
