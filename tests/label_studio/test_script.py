"""``scripts/label_studio.sh`` starts a server that others can find, and says why where it cannot."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

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


def test_the_compose_file_is_valid_and_wants_the_secrets() -> None:
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("no docker-compose here: apt-get install docker-compose")
    command = [compose, "-f", str(REPOSITORY / "docker-compose.labelstudio.yml"), "config"]
    secrets = {f"LABEL_STUDIO_{name}": "a" * 40 for name in ("USERNAME", "PASSWORD", "API_KEY")}
    valid = subprocess.run(command, env=script_environment(**secrets), capture_output=True, text=True, check=False)
    assert valid.returncode == 0, valid.stderr
    assert "127.0.0.1:8080:8080" in valid.stdout
    without = subprocess.run(command, env=script_environment(), capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "scripts/label_studio.sh" in without.stderr
