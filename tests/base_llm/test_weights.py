"""Which weights a folder holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kazu_distill.base_llm.weights import digest
from tests.base_llm.questions import TEXTS
from tests.base_llm.tiny import tiny_llama


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_llama(tmp_path / "a", TEXTS)


def test_a_copy_has_the_same_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    assert digest(Path(shutil.copytree(folder, tmp_path / "b"))) == digest(folder)


def test_what_training_leaves_beside_the_weights_does_not_count(folder: Path) -> None:
    before = digest(folder)
    for name in ("training_args.bin", "optimizer.bin", "trainer_state.json", "README.md"):
        (folder / name).write_text("anything")
    assert digest(folder) == before


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja"])
def test_configuration_tokenizer_and_template_count(folder: Path, name: str) -> None:
    before = digest(folder)
    assert (folder / name).is_file()
    (folder / name).write_text((folder / name).read_text() + " ")
    assert digest(folder) != before


def test_other_weights_of_the_same_size_are_told_apart(folder: Path, tmp_path: Path) -> None:
    other = tiny_llama(tmp_path / "b", TEXTS, seed=2)
    weights = "model.safetensors"
    assert (folder / weights).stat().st_size == (other / weights).stat().st_size > 16 * 4096
    assert (folder / "config.json").read_bytes() == (other / "config.json").read_bytes()
    assert digest(other) != digest(folder)
