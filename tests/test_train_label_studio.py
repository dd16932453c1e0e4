"""Training beside a Label Studio that does not answer."""

from __future__ import annotations

from pathlib import Path

from kazu_distill.label_studio.outbox import read_kept, waiting
from tests.label_studio.broken_servers import Mute, mute_server
from tests.stages import press_ctrl_c, start_for_ctrl_c, succeed
from tests.test_train_runs import command

ENVIRONMENT = {"LABEL_STUDIO_API_KEY": "0" * 40, "HF_HUB_OFFLINE": "1"}


def beside(mute: Mute, folder: Path, *more: str) -> list[str]:
    """A run whose requests the server holds for longer than the test takes."""
    return [
        *command(folder, folder / "out"), "label_studio=server", f"label_studio.url={mute.url}",
        "label_studio.timeout=3000", "label_studio.max_tasks=3", "trainer.arguments.num_train_epochs=2", *more,
    ]  # fmt: skip


def kept(folder: Path) -> dict[str | None, set[str]]:
    """The documents of each model version in the outbox."""
    versions = filter(None, map(read_kept, waiting(folder / "out/label_studio")))
    return {each.model_version: {document.id for document in each.documents} for each in versions}


def test_training_ends_while_the_server_still_holds_the_first_request(tmp_path: Path) -> None:
    with mute_server() as mute:
        run = succeed("train", *beside(mute, tmp_path, "label_studio_patience=0.1"), environment=ENVIRONMENT)
    assert "3 pushes left, waiting up to 0.1 s" in run.printed
    assert f"outbox={tmp_path / 'out/label_studio'}" in run.errors
    assert (tmp_path / "out/model/model.safetensors").is_file()
    steps = [path.stem.removeprefix("step-").lstrip("0") for path in (tmp_path / "out/evaluations").iterdir()]
    assert len(steps) == 2
    shown = kept(tmp_path)
    assert shown.keys() == {None, *(f"step {step}" for step in steps)}
    assert len({frozenset(documents) for documents in shown.values()}) == 1, "the same few at every step"
    assert len(shown[None]) == 3


def test_ctrl_c_ends_a_run_whose_server_does_not_answer(tmp_path: Path) -> None:
    with mute_server() as mute:
        arguments = beside(mute, tmp_path, "trainer.arguments.num_train_epochs=1000", "label_studio_patience=3000")
        child = start_for_ctrl_c("train", *arguments, environment=ENVIRONMENT)
        assert mute.asked.wait(120)
        errors = press_ctrl_c(child)
    assert child.returncode == 1
    assert "Stopped before the end" in errors
    assert None in kept(tmp_path)
