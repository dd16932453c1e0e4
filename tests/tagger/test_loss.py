import math

import torch

from kazu_distill.tagger.loss import multilabel_loss


def test_the_loss_is_the_mean_over_trained_words_of_the_sum_over_tags() -> None:
    logits = torch.tensor([[[0.0, 0.0], [5.0, -5.0], [0.0, 0.0]]])
    targets = torch.tensor([[[1.0, 0.0], [0.0, 0.0], [0.5, 0.5]]])
    weights = torch.tensor([[1.0, 0.0, 1.0]])
    assert math.isclose(multilabel_loss(logits, targets, weights).item(), 2 * math.log(2), rel_tol=1e-6)


def test_padding_does_not_change_the_loss() -> None:
    torch.manual_seed(0)
    logits, targets, weights = torch.randn(2, 5, 3), torch.rand(2, 5, 3), torch.ones(2, 5)
    longer, aim = (torch.cat([value, torch.ones_like(value[:, :2])], dim=1) for value in (logits, targets))
    padded = torch.cat([weights, torch.zeros(2, 2)], dim=1)
    assert torch.allclose(multilabel_loss(longer, aim, padded), multilabel_loss(logits, targets, weights))


def test_a_batch_without_trained_words_has_loss_zero() -> None:
    assert multilabel_loss(torch.ones(1, 2, 3), torch.ones(1, 2, 3), torch.zeros(1, 2)).item() == 0.0
