"""``docker-compose.labelstudio.yml`` is one that Compose takes, gives nothing away, and fits Label Studio."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.label_studio.server import REPOSITORY, install_or_skip, script_environment

COMPOSE = REPOSITORY / "docker-compose.labelstudio.yml"
EXAMPLE = (REPOSITORY / ".env.example").read_text()
SERVICES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
SECRETS = ("LABEL_STUDIO_PASSWORD", "LABEL_STUDIO_API_KEY", "POSTGRES_PASSWORD")


def composed(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """What Compose makes of the file, with settings in an ``.env`` in a folder and none in the environment."""
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("no docker-compose here: apt-get install docker-compose")
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    command = [compose, "--env-file", str(folder / ".env"), "-f", str(COMPOSE), "config"]
    environment = {name: value for name, value in script_environment().items() if name not in ("PORT", *SECRETS)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def filled() -> dict[str, str]:
    """A value for every variable of ``.env.example``."""
    return {
        name: value or f"value-of-{name}"
        for name, value in re.findall(r"^([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)
        if name != "PORT"
    }


def test_compose_takes_the_file(tmp_path: Path) -> None:
    done = composed(tmp_path, **filled())
    assert done.returncode == 0, done.stderr
    assert "127.0.0.1:8080:8080" in done.stdout
    assert "127.0.0.1:8099:8080" in composed(tmp_path, **filled(), PORT="8099").stdout


@pytest.mark.parametrize("name", filled())
def test_compose_says_where_a_missing_setting_goes(name: str, tmp_path: Path) -> None:
    done = composed(tmp_path, **filled() | {name: ""})
    assert done.returncode != 0
    assert "set it in .env, or start with scripts/label_studio.sh" in done.stderr


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    assert used == {*filled(), "PORT"}
    assert all(f"\n{name}=\n" in EXAMPLE for name in SECRETS), "a secret is made, not shipped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_watched_and_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z/-]+:\d+(\.\d+)+", service["image"])
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "network_mode" not in service
    assert "privileged" not in service
    assert service["volumes"], "what is labelled outlives the container"


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_file(name: str) -> None:
    for key, value in SERVICES[name]["environment"].items():
        if re.search("PASSWORD|TOKEN|SECRET|KEY", key) and key != "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN":
            assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), key


def test_the_database_is_published_nowhere_and_waited_for() -> None:
    assert "ports" not in SERVICES["database"]
    assert SERVICES["label-studio"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_git_ignores_the_settings() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", ".env"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ignored.stdout.strip() == ".env"
    tracked = subprocess.run(
        ["git", "ls-files", ".env.example"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert tracked.stdout.strip() == ".env.example"


def test_the_image_is_the_version_that_the_script_installs() -> None:
    (version,) = re.findall(r"^readonly VERSION=(\S+)$", (REPOSITORY / "scripts/label_studio.sh").read_text(), re.M)
    assert SERVICES["label-studio"]["image"] == f"heartexlabs/label-studio:{version}"


@pytest.mark.label_studio
def test_label_studio_itself_takes_the_database_from_these_variables(tmp_path: Path) -> None:
    install_or_skip()
    done = composed(tmp_path, **filled())
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    # The program's own settings, as it reads them when it starts.
    program = """
import json, sys, label_studio
sys.path.insert(0, label_studio.__path__[0])
from django.conf import settings
print(json.dumps([settings.DATABASES["default"], settings.COLLECT_ANALYTICS, settings.SENTRY_DSN], default=str))
"""
    environment = script_environment(**services["label-studio"]["environment"])
    environment |= {
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "label_studio.core.settings.label_studio",
    }
    python = REPOSITORY / ".venv-label-studio/bin/python"
    read = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=True)
    database, collects, sentry = json.loads(read.stdout.splitlines()[-1])
    given = services["database"]["environment"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"]) == ("database", 5432)
    assert (database["NAME"], database["USER"]) == (given["POSTGRES_DB"], given["POSTGRES_USER"])
    assert database["PASSWORD"] == given["POSTGRES_PASSWORD"] == "value-of-POSTGRES_PASSWORD"
    assert (collects, sentry) == (False, "")
