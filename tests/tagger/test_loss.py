import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.loss import UNTRAINED, MultilabelLoss


def loss(logits: Tensor, labels: Tensor, items: int | None = None, *, focus: float = 0.0) -> float:
    return MultilabelLoss(focus=focus)(SimpleNamespace(logits=logits), labels, items).item()


def test_the_loss_is_the_mean_over_trained_words_of_the_sum_over_tags() -> None:
    logits = torch.tensor([[[0.0, 0.0], [5.0, -5.0], [0.0, 0.0]]])
    labels = torch.tensor([[[1.0, 0.0], [UNTRAINED, UNTRAINED], [0.5, 0.5]]])
    assert math.isclose(loss(logits, labels), 2 * math.log(2), rel_tol=1e-6)


def test_padding_does_not_change_the_loss() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 5, 3), torch.rand(2, 5, 3)
    longer = torch.cat([logits, torch.ones(2, 2, 3)], dim=1)
    padded = torch.cat([labels, torch.full((2, 2, 3), UNTRAINED)], dim=1)
    assert math.isclose(loss(longer, padded), loss(logits, labels), rel_tol=1e-6)


def test_losses_of_the_parts_of_a_step_add_up_to_that_of_the_whole() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(3, 5, 4), torch.rand(3, 5, 4)
    labels[0, 1:] = UNTRAINED
    trained = int((labels != UNTRAINED).sum())
    parts = loss(logits[:1], labels[:1], trained) + loss(logits[1:], labels[1:], trained)
    assert math.isclose(parts, loss(logits, labels), rel_tol=1e-6)


def test_a_batch_without_trained_words_has_loss_zero() -> None:
    assert loss(torch.ones(1, 2, 3), torch.full((1, 2, 3), UNTRAINED)) == 0.0


@pytest.mark.parametrize("focus", [0.0, 1.0, 2.0])
def test_a_label_weighs_by_how_far_off_it_is(focus: float) -> None:
    probability, label = 0.8, 0.3
    logit = math.log(probability / (1 - probability))
    entropy = -label * math.log(probability) - (1 - label) * math.log(1 - probability)
    found = loss(torch.tensor([[[logit]]]), torch.tensor([[[label]]]), focus=focus)
    assert math.isclose(found, 0.5**focus * entropy, rel_tol=1e-5)


def test_no_focus_below_nothing() -> None:
    with pytest.raises(ConfigError, match=r"loss\.focus"):
        MultilabelLoss(focus=-1)
