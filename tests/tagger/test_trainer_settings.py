from pathlib import Path
from typing import Any

import pytest
from transformers import IntervalStrategy
from transformers.trainer_utils import SaveStrategy

from kazu_distill.errors import ConfigError
from kazu_distill.models.early_stopping import EarlyStopping
from kazu_distill.tagger.loss import MultilabelLoss
from kazu_distill.tagger.trainer_settings import TrainerSettings

AUTO = {"num_train_epochs": "auto", "eval_strategy": "auto", "report_to": []}


def settings(**changes: Any) -> TrainerSettings:
    return TrainerSettings(
        batch_tokens=100, loss=MultilabelLoss(), early_stopping=EarlyStopping(), arguments=AUTO | changes, device="cpu"
    )


@pytest.mark.parametrize(
    ("steps", "epochs", "between"), [(30, 20, None), (1_000, 10, None), (2_500, 4, 1_250), (40_000, 3, 2_000)]
)
def test_epochs_and_evaluations_follow_the_size_of_the_data(
    steps: int, epochs: int, between: int | None, tmp_path: Path
) -> None:
    own = settings()
    arguments = own.training_arguments(tmp_path)
    own.settle(arguments, steps_per_epoch=steps)
    assert arguments.num_train_epochs == epochs
    if between is None:
        assert (arguments.eval_strategy, arguments.save_strategy) == (IntervalStrategy.EPOCH, SaveStrategy.EPOCH)
    else:
        assert (arguments.eval_strategy, arguments.save_strategy) == (IntervalStrategy.STEPS, SaveStrategy.STEPS)
        assert arguments.eval_steps == arguments.save_steps == between


def test_what_is_given_stays(tmp_path: Path) -> None:
    own = settings(num_train_epochs=7, eval_strategy="steps", eval_steps=50)
    arguments = own.training_arguments(tmp_path)
    own.settle(arguments, steps_per_epoch=40_000)
    assert (arguments.num_train_epochs, arguments.eval_steps, arguments.save_steps) == (7, 50, 50)


def test_arguments_that_cannot_be_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="choose auto, epoch or steps"):
        settings(eval_strategy="no").training_arguments(tmp_path)
    with pytest.raises(ConfigError, match="counted in tokens"):
        settings(per_device_train_batch_size=4).training_arguments(tmp_path)
    with pytest.raises(ConfigError, match="learning_rat"):
        settings(learning_rat=1).training_arguments(tmp_path)
    with pytest.raises(ConfigError, match="batch_tokens=0"):
        TrainerSettings(batch_tokens=0, loss=MultilabelLoss(), early_stopping=EarlyStopping(), arguments=AUTO)
