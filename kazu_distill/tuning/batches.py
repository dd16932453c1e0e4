"""Rows as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kazu_distill.tuning.loss import UNLEARNT
from kazu_distill.tuning.rows import Row


class OneRow:
    """Several records behind one another in one row, with no padding, for a causal model.

    Positions begin anew with each record and there is no attention mask, from which transformers knows that no record
    may see another. There must be no cache either, or it would not look.

    Args:
        keeps_logits: whether the model computes no more logits than it is asked for.
    """

    def __init__(self, *, keeps_logits: bool) -> None:
        self._keeps_logits = keeps_logits

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """A micro-batch.

        Returns:
            ``input_ids`` and ``position_ids``: ``(1, tokens)``. If the model keeps logits, ``logits_to_keep``:
            ``(learnt,)``, the positions whose next token is learnt; then ``labels`` are ``(1, 1 + learnt)``, those
            tokens behind an unlearnt one, else ``(1, tokens)``, as the tokens stand.
        """
        tokens = torch.from_numpy(np.concatenate([each for row in rows for each in (row.prompt, row.answer)])).long()
        positions = torch.cat([torch.arange(len(row)) for row in rows])
        learnt = torch.cat([torch.arange(len(row)) >= len(row.prompt) for row in rows])
        batch = {"input_ids": tokens[None], "position_ids": positions[None], "use_cache": False}
        if self._keeps_logits:
            labels = torch.cat([torch.tensor([UNLEARNT]), tokens[learnt]])
            return batch | {"logits_to_keep": learnt.nonzero()[:, 0] - 1, "labels": labels[None]}
        return batch | {"labels": tokens.masked_fill(~learnt, UNLEARNT)[None]}


class SideBySide:
    """Records as the rows of a batch, filled up at their ends, for a model from sequence to sequence.

    Args:
        padding: the token that fills up.
        start: the token with which the decoder begins.
    """

    def __init__(self, *, padding: int, start: int) -> None:
        self._padding = padding
        self._start = start

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """A micro-batch.

        Returns:
            ``input_ids`` and ``attention_mask``: ``(records, tokens asked)``; ``decoder_input_ids``: ``(records,
            tokens learnt)``; ``labels``: ``(records, 1 + tokens learnt)``, the first of each row unlearnt.
        """
        input_ids = _filled([row.prompt for row in rows], self._padding)
        answers = _filled([row.answer for row in rows], UNLEARNT)
        decoder = torch.cat([torch.full((len(rows), 1), self._start), answers[:, :-1]], dim=1)
        return {
            "input_ids": input_ids,
            "attention_mask": torch.arange(input_ids.shape[1]) < torch.tensor([[len(row.prompt)] for row in rows]),
            "decoder_input_ids": decoder.masked_fill(decoder == UNLEARNT, self._padding),
            "labels": torch.cat([torch.full((len(rows), 1), UNLEARNT), answers], dim=1),
            "use_cache": False,
        }


def _filled(rows: Sequence[np.ndarray[Any, np.dtype[np.int32]]], padding: int) -> Tensor:
    filled = torch.full((len(rows), max(map(len, rows))), padding)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = torch.from_numpy(row)
    return filled
