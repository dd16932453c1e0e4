import json
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.models.checkpoints import resumable
from tests.tagger.encoders import tiny_bert
from tests.tagger.training_runs import same_weights, train

# Three batches an epoch, so that checkpoints are inside epochs and at their ends.
PLAN: dict[str, Any] = {
    "batch_tokens": 70,
    "num_train_epochs": 6,
    "eval_strategy": "steps",
    "eval_steps": 2,
}


class Killed(BaseException):
    """What ends a run in the middle, as a signal does."""


@pytest.mark.parametrize("last_step", [3, 7, 11])
def test_a_run_that_was_ended_goes_on_to_the_same_weights(tmp_path: Path, last_step: int) -> None:
    encoder = tiny_bert(tmp_path / "encoder")
    whole, history = train(encoder, tmp_path / "whole", **PLAN)
    steps: list[int] = []

    def step_done(step: int, _: int) -> None:
        steps.append(step)
        if step == last_step and steps.count(step) == 1:
            raise Killed

    with pytest.raises(Killed):
        train(encoder, tmp_path / "parts", on_step=step_done, **PLAN)
    again, rest = train(encoder, tmp_path / "parts", on_step=step_done, **PLAN)
    checkpoint = last_step - last_step % 2
    assert steps == [*range(1, last_step + 1), *range(checkpoint + 1, steps[-1] + 1)]
    assert same_weights(whole, again)
    assert again.best_step == whole.best_step
    assert rest == history[checkpoint // 2 :]


def test_a_run_with_other_settings_begins_anew(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "encoder")

    def kill(step: int, _: int) -> None:
        if step == 5:
            raise Killed

    with pytest.raises(Killed):
        train(encoder, tmp_path / "run", on_step=kill, **PLAN)
    steps: list[int] = []
    train(encoder, tmp_path / "run", on_step=lambda step, _: steps.append(step), **PLAN | {"learning_rate": 5e-3})
    assert steps[0] == 1


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(tmp_path: Path) -> None:
    assert resumable(tmp_path, "key") is None
    for step, state in ((8, '{"global_step": 8}'), (10, '{"global_s'), (12, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state:
            (folder / "trainer_state.json").write_text(state)
    assert resumable(tmp_path, "key") == tmp_path / "checkpoint-8"
    assert json.loads((tmp_path / "checkpoint-8/trainer_state.json").read_text())["global_step"] == 8
    assert resumable(tmp_path, "other key") is None
    assert not list(tmp_path.glob("checkpoint-*"))
