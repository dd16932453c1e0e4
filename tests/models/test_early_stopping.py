import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from kazu_distill.errors import ConfigError
from kazu_distill.models.early_stopping import EarlyStopping


def stops_at(stopping: EarlyStopping, figures: list[float]) -> int | None:
    """The number of the evaluation, from 1, after which training stops; an epoch has one evaluation."""
    state, control = TrainerState(), TrainerControl()
    arguments = TrainingArguments(use_cpu=True, metric_for_best_model="mean_f1")
    for number, figure in enumerate(figures, start=1):
        state.epoch = number
        stopping.on_evaluate(arguments, state, control, metrics={"eval_mean_f1": figure})
        if control.should_training_stop:
            return number
        state.best_metric = max(figure, state.best_metric or 0.0)  # the Trainer notes it after the evaluation
    return None


@pytest.mark.parametrize(
    ("settings", "figures", "expected"),
    [
        ({"patience": 2}, [0.1, 0.2, 0.2, 0.1], 4),
        ({"patience": 2}, [0.1, 0.2, 0.1, 0.3, 0.3], None),
        ({"patience": 1}, [0.0, 0.0, 0.0, 0.1, 0.2, 0.2], 6),
        ({"patience": 2, "minimal_delta": 0.05}, [0.5, 0.52, 0.54], 3),
        ({"patience": 2, "minimal_delta": 0.05}, [0.5, 0.52, 0.58, 0.58], None),
        ({"patience": 1, "start_epoch": 4}, [0.5, 0.4, 0.4, 0.4], 4),
    ],
)
def test_training_stops_after_evaluations_in_a_row_that_were_not_better(
    settings: dict[str, float], figures: list[float], expected: int | None
) -> None:
    assert stops_at(EarlyStopping(**settings), figures) == expected  # type: ignore[arg-type]


def test_a_run_that_goes_on_has_waited_as_long_as_before() -> None:
    before = EarlyStopping(patience=3, minimal_delta=0.01, start_epoch=1)
    assert stops_at(before, [0.5, 0.5, 0.5]) is None
    after = EarlyStopping.from_state(before.state())  # type: ignore[no-untyped-call]
    assert (after.patience, after.minimal_delta, after.start_epoch, after.waited) == (3, 0.01, 1, 2)


def test_numbers_out_of_range_are_errors() -> None:
    with pytest.raises(ConfigError, match="patience=0"):
        EarlyStopping(patience=0)
    with pytest.raises(ConfigError, match="minimal_delta=-1"):
        EarlyStopping(minimal_delta=-1)
