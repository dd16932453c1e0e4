"""Where a stage finds its configuration, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from kazu_distill.stage import name_action, quote_literal, resolve_config_path, shipped_config
from tests.stages import REPOSITORY, fail, run_stage, succeed


def config_seen(arguments: list[str], cwd: Path) -> str:
    """The configuration that a stage composes."""
    return succeed("train", *arguments, "--cfg", "job", cwd=cwd).printed


def test_the_same_configuration_is_found_however_it_is_named(tmp_path: Path) -> None:
    expected = config_seen([], REPOSITORY)
    assert "BiomedBERT" in expected
    assert config_seen(["--config-path", "conf"], REPOSITORY) == expected
    assert config_seen([f"--config-path={REPOSITORY / 'conf'}"], tmp_path) == expected
    assert config_seen(["-cp", "conf"], tmp_path) == expected
    assert config_seen([], tmp_path) == expected


def test_an_action_may_stand_before_options_and_settings() -> None:
    named = [
        (["push", "a=1"], ["action=push", "a=1"]),
        (["push", "--config-path", "conf", "a=1"], ["--config-path", "conf", "action=push", "a=1"]),
        (["push", "a=1", "--config-path=conf"], ["action=push", "a=1", "--config-path=conf"]),
        (["push", "--cfg", "job"], ["--cfg", "job", "action=push"]),
        (["action=push", "a=1"], ["action=push", "a=1"]),
    ]
    for given, wanted in named:
        assert name_action(given, ["push", "pull"], stage="review") == wanted
    with pytest.raises(SystemExit, match=r"push\|pull"):
        name_action(["shove"], ["push", "pull"], stage="review")


def test_a_users_folder_comes_before_the_shipped_one_which_fills_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "conf/schema").mkdir(parents=True)
    (tmp_path / "conf/schema/mine.yaml").write_text(
        "_target_: kazu_distill.schema.Schema\nname: mine\nclasses: {planet: {}}\n"
    )
    assert "planet" in config_seen(["--config-path", "conf", "schema=mine"], tmp_path)
    assert "Chemical" in config_seen(["--config-path", "conf", "schema=bc5cdr"], tmp_path)
    (tmp_path / "conf/train.yaml").write_text("defaults: [{schema: mine}, {hydra: default}]\nout: here\n")
    own = config_seen(["--config-path", "conf"], tmp_path)
    assert "planet" in own
    assert "BiomedBERT" not in own


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="--config-path nowhere: no such folder"):
        resolve_config_path(["--config-path", "nowhere"])
    assert resolve_config_path(["a=1"]) == ["a=1"]
    assert resolve_config_path(["--config-path", "conf"])[1] == str(shipped_config())


def test_a_stage_leaves_its_configuration_without_what_the_environment_holds(tmp_path: Path) -> None:
    hidden, out = tmp_path / "hidden.jsonl", tmp_path / "out"
    hidden.write_text("".join(json.dumps({"id": str(number), "text": f"Text {number}."}) + "\n" for number in range(9)))
    arguments = ["split", f"out={out}", "corpus.path=${oc.env:SECRET_PLACE}", "eval=1", "test=1"]
    succeed(*arguments, environment={"SECRET_PLACE": str(hidden)})
    written = (out / "config.yaml").read_text()
    assert "${oc.env:SECRET_PLACE}" in written
    assert "hidden" not in written


def test_files_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = fail("split", f"out={tmp_path / 'file/out'}")
    assert message.startswith(f"UnusableFile: {tmp_path / 'file'}")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    ["Größe β-Wert", "Crohn's disease", "p < 0.05 & 10 %", 'Gefitinib, "aspirin" (HER2).', "a\\", '\\"', "${out}", ""],
)
def test_a_text_on_the_command_line_is_taken_as_it_is(text: str) -> None:
    (override,) = quote_literal([f"text={text}"], "text")
    with initialize_config_dir(str(shipped_config()), version_base="1.3"):
        assert compose("predict", [override]).text == text


def test_unknown_settings_and_choices_are_errors(tmp_path: Path) -> None:
    unknown = run_stage("split", f"out={tmp_path}", "sede=1")
    assert unknown.status == 1
    assert "sede" in unknown.errors
    assert "Traceback" not in unknown.errors
    choice = run_stage("annotate", f"out={tmp_path}", "llm=gemnii")
    assert choice.status == 1
    assert "gemini" in choice.errors  # the choices are listed


def test_the_list_of_stages_names_the_next_command(tmp_path: Path) -> None:
    listed = succeed("", cwd=tmp_path).printed
    for stage in ("annotate", "split", "train", "evaluate", "predict", "suspects", "schema", "answers"):
        assert f"kazu_distill.{stage}" in listed or stage in listed
    assert "Next: python -m kazu_distill.annotate" in listed
    (tmp_path / "runs/annotate").mkdir(parents=True)
    (tmp_path / "runs/annotate/documents.jsonl").touch()
    assert "Next: python -m kazu_distill.split" in succeed("", cwd=tmp_path).printed


@pytest.mark.slow
def test_an_installed_wheel_works_in_another_folder(tmp_path: Path) -> None:
    wheels, site, elsewhere = tmp_path / "wheels", tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, REPOSITORY], check=True)
    subprocess.run([*pip, "install", "--no-deps", "--target", site, *wheels.glob("*.whl")], check=True)
    (elsewhere / "corpus.jsonl").write_text(
        "".join(json.dumps({"id": str(number), "text": f"Text {number}."}) + "\n" for number in range(9))
    )
    for arguments in ([], ["--config-path", "conf"], ["--config-path", str(site / "kazu_distill/conf")]):
        run = subprocess.run(
            [sys.executable, "-m", "kazu_distill.split", *arguments, "corpus.path=corpus.jsonl", "eval=2", "test=2"],
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert (elsewhere / "runs/split/train.jsonl").read_bytes().count(b"\n") == 5
        (elsewhere / "runs/split/train.jsonl").unlink()


def test_jobs_of_a_sweep_have_folders_of_their_own(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"id": str(number), "text": f"Text {number}."}) + "\n" for number in range(9)))
    swept = ["split", "-m", "seed=1,2", f"corpus.path={corpus}", "eval=1", "test=1"]
    succeed(*swept, f"out={tmp_path / 'numbered'}")
    for number in ("0", "1"):
        assert f"seed: {int(number) + 1}" in (tmp_path / "numbered" / number / "config.yaml").read_text()
        assert (tmp_path / "numbered" / number / "train.jsonl").is_file()
    assert not (tmp_path / "numbered/train.jsonl").exists()
    succeed(*swept, f"out={tmp_path}/made-of-${{seed}}")
    assert all((tmp_path / f"made-of-{seed}/train.jsonl").is_file() for seed in (1, 2))
