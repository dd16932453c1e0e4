"""``docker-compose.vllm.yml`` is one that Compose takes, serves this machine only, and fits what ``tune`` writes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[1]
COMPOSE = REPOSITORY / "docker-compose.vllm.yml"
SERVICES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
VARIABLES = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))


def composed(folder: Path, profile: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file, with settings in an ``.env`` in a folder and none in the environment."""
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("no docker-compose here: apt-get install docker-compose")
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    command = [compose, "--env-file", str(folder / ".env"), "-f", str(COMPOSE), "--profile", profile, "config"]
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def option(service: Mapping[str, Any], name: str) -> str:
    """The value of an option of the server's command."""
    command = [str(each) for each in service["command"]]
    return command[command.index(name) + 1]


def test_the_tuned_model_is_served_by_its_name_in_its_form(tmp_path: Path) -> None:
    done = composed(tmp_path, "tuned", BASE_MODEL="owner/base", ADAPTER=str(tmp_path), ADAPTER_NAME="mine", GPUS="2")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    tuned = services["tuned"]
    assert tuned["profiles"] == ["tuned"], "of two that take the same port one is started"
    assert tuned["command"][0] == "owner/base"
    assert "--enable-lora" in tuned["command"]
    assert option(tuned, "--lora-modules") == "mine=/adapter"
    assert option(tuned, "--tensor-parallel-size") == "2"
    # What tune writes beside the adapter: its template, and the token that ends its answers.
    assert option(tuned, "--chat-template") == "/adapter/chat_template.jinja"
    assert option(tuned, "--generation-config") == "/adapter"
    assert int(option(tuned, "--max-lora-rank")) in {8, 16, 32, 64, 128, 256}
    assert str(tmp_path) in str(tuned["volumes"])
    assert [each["read_only"] for each in SERVICES["tuned"]["volumes"] if "/adapter" in str(each)] == [True]


def test_the_adapter_of_tune_is_found_where_tune_leaves_it(tmp_path: Path) -> None:
    done = composed(tmp_path, "tuned", BASE_MODEL="owner/base")
    assert done.returncode == 0, done.stderr
    assert str(REPOSITORY / "runs/tune/adapter") in done.stdout


def test_a_base_model_is_served_by_itself(tmp_path: Path) -> None:
    done = composed(tmp_path, "base", BASE_MODEL="owner/base", VLLM_PORT="8099", RUNS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    base = yaml.safe_load(done.stdout)["services"]["base"]
    assert base["profiles"] == ["base"]
    assert base["command"][0] == "owner/base"
    assert "--enable-lora" not in base["command"]
    assert "127.0.0.1:8099:8000" in done.stdout
    assert str(tmp_path) in str(base["volumes"]), "one that was merged is found there"


@pytest.mark.parametrize("profile", ["tuned", "base"])
def test_a_missing_model_is_asked_for(profile: str, tmp_path: Path) -> None:
    done = composed(tmp_path, profile)
    assert done.returncode != 0
    assert "BASE_MODEL" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_watched_has_gpus_and_is_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:v\d+(\.\d+)+", service["image"])
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    assert not {"network_mode", "privileged", "ipc", "pid"} & service.keys()
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "huggingface:/root/.cache/huggingface" in service["volumes"], "a model is loaded from the hub once"
    assert service["environment"]["HF_TOKEN"] == "${HF_TOKEN:-}", "no secret stands in the file"
