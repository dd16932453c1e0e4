"""``scripts/label_studio.sh`` starts a server that others can find, and says why where it cannot."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.label_studio.server import (
    REPOSITORY,
    SCRIPT,
    free_port,
    install_or_skip,
    running_label_studio,
    script_environment,
)


def run_script(*options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPT), *options],
        env=script_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def test_help_names_every_variable() -> None:
    done = run_script("--help")
    assert done.returncode == 0
    for name in ("PORT", "DATA", "USERNAME", "PASSWORD", "API_KEY"):
        assert name in done.stdout


def test_an_unknown_option_is_an_error() -> None:
    done = run_script("--detach")
    assert done.returncode == 1
    assert "unknown option --detach" in done.stderr


def test_a_busy_port_is_an_error_and_not_another_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = run_script("--pypi", PORT=str(port), LABEL_STUDIO_DATA=str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr


def test_a_token_that_label_studio_would_not_take_is_an_error(tmp_path: Path) -> None:
    done = run_script(
        "--pypi", PORT=str(free_port()), LABEL_STUDIO_DATA=str(tmp_path), LABEL_STUDIO_API_KEY="not-a-token"
    )
    assert done.returncode == 1
    assert "40 hexadecimal digits" in done.stderr
    assert "not-a-token" not in done.stdout + done.stderr


@pytest.mark.label_studio
def test_interrupt_stops_the_server_and_a_second_start_knows_the_same_token(tmp_path: Path) -> None:
    install_or_skip()
    with running_label_studio(tmp_path / "data") as first:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.url)
    secrets = [tmp_path / "data" / name for name in ("token", "password")]
    assert [secret.stat().st_mode & 0o777 for secret in secrets] == [0o600, 0o600]
    assert first.token not in (tmp_path / "data" / "label-studio.log").read_text()
    with running_label_studio(tmp_path / "data") as second:
        answer = httpx.get(f"{second.url}/api/projects", headers={"Authorization": f"Token {first.token}"})
    assert answer.status_code == 200

    other = run_script(
        "--pypi", PORT=str(free_port()), LABEL_STUDIO_DATA=str(tmp_path / "data"), LABEL_STUDIO_API_KEY="a" * 40
    )
    assert other.returncode == 1
    assert "the data were made with another one" in other.stderr


FAKE_DOCKER = f"""#!{sys.executable}
# Stands for an engine, which there is none of here: says it is there, and answers as the container would.
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

if sys.argv[1:] in (["info"], ["compose", "version"]):
    sys.exit()
names = ("PORT", "LABEL_STUDIO_USERNAME", "LABEL_STUDIO_PASSWORD", "LABEL_STUDIO_API_KEY", "POSTGRES_PASSWORD")
given = {{name: os.environ.get(name) for name in names}}
Path(__file__).with_name("started.json").write_text(json.dumps({{"arguments": sys.argv[1:], **given}}))

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        token = self.headers.get("Authorization")
        is_allowed = self.path == "/health" or token == "Token " + os.environ["LABEL_STUDIO_API_KEY"]
        self.send_response(200 if is_allowed else 401)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Clone:
    """The files that the script needs, elsewhere, and a machine on which a Docker daemon answers."""

    root: Path

    @classmethod
    def of_the_repository(cls, root: Path) -> Clone:
        for name in ("scripts/label_studio.sh", "docker-compose.labelstudio.yml", ".env.example"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name)
        (root / "bin").mkdir()
        (root / "bin/docker").write_text(FAKE_DOCKER)
        (root / "bin/docker").chmod(0o755)
        return cls(root)

    def start(self, **settings: str) -> tuple[str, dict[str, Any]]:
        """Start the script and stop it when it is ready: what it printed, and what Docker was given."""
        inherited = {
            name: value for name, value in script_environment().items() if name not in ("PORT", "POSTGRES_PASSWORD")
        }
        process = subprocess.Popen(
            ["bash", str(self.root / "scripts/label_studio.sh")],
            cwd=self.root,
            env=inherited | {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"} | settings,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )  # fmt: skip
        printed = ""
        for line in process.stdout or ():
            printed += line
            if "Ctrl-C stops it" in line:
                os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)
        if process.stdout:
            process.stdout.close()
        started = self.root / "bin/started.json"
        return printed, json.loads(started.read_text()) if started.exists() else {}

    @property
    def settings(self) -> dict[str, str]:
        lines = [line for line in (self.root / ".env").read_text().splitlines() if line and line[0] != "#"]
        return dict(line.split("=", 1) for line in lines)


def test_docker_gets_secrets_that_are_made_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    clone = Clone.of_the_repository(tmp_path)
    (tmp_path / ".env.example").write_text(
        (tmp_path / ".env.example").read_text().replace("PORT=8080", f"PORT={free_port()}")
    )
    printed, started = clone.start()
    made = clone.settings
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    secrets = [made[name] for name in ("LABEL_STUDIO_PASSWORD", "LABEL_STUDIO_API_KEY", "POSTGRES_PASSWORD")]
    assert len(set(secrets)) == 3
    assert all(re.fullmatch("[0-9a-f]{40}", secret) for secret in secrets)
    assert not any(secret in printed for secret in secrets)
    assert started == {
        "arguments": ["compose", "-f", str(tmp_path / "docker-compose.labelstudio.yml"), "up"], **made
    }  # fmt: skip
    assert f"ready at http://127.0.0.1:{made['PORT']}" in printed
    (export,) = re.findall(r"export LABEL_STUDIO_API_KEY=.*", printed)
    shown = subprocess.run(
        ["bash", "-c", export + '; echo "$LABEL_STUDIO_API_KEY"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == made["LABEL_STUDIO_API_KEY"]

    printed, started = clone.start(LABEL_STUDIO_PASSWORD="mine", PORT=str(port := free_port()))
    assert clone.settings == made
    assert started == started | made | {"LABEL_STUDIO_PASSWORD": "mine", "PORT": str(port)}
    assert "the password in your environment's LABEL_STUDIO_PASSWORD" in printed


@pytest.mark.parametrize(
    ("line", "said"), [("", "has no value in"), ("LABEL_STUDIO_API_KEY=short", "must be 40 hexadecimal digits")]
)
def test_settings_that_docker_could_not_start_with_are_named(tmp_path: Path, line: str, said: str) -> None:
    clone = Clone.of_the_repository(tmp_path)
    (tmp_path / ".env").write_text(f"LABEL_STUDIO_USERNAME=a\nLABEL_STUDIO_PASSWORD=b\nPOSTGRES_PASSWORD=c\n{line}\n")
    printed, started = clone.start(PORT=str(free_port()))
    assert said in printed
    assert str(tmp_path / ".env") in printed
    assert started == {}
