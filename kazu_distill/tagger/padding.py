"""Rows of unlike length as one rectangle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def pad(rows: Sequence[NDArray[np.int32]], *, padding: int, multiple: int, longest: int) -> tuple[Tensor, Tensor]:
    """Input ids and attention mask, both ``(batch, tokens)``, of rows of unlike length.

    Lengths are rounded up to a ``multiple``, but none is made longer than ``longest``, which the encoder may have no
    positions for.
    """
    length = min(-(-max(len(row) for row in rows) // multiple) * multiple, longest)
    input_ids = torch.full((len(rows), length), padding, dtype=torch.long)
    attention_mask = torch.zeros((len(rows), length), dtype=torch.long)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = torch.tensor(row)
        attention_mask[index, : len(row)] = 1
    return input_ids, attention_mask


def length_multiple(device: torch.device) -> int:
    """What lengths are rounded up to: 8, which matrix units like; 64 on MPS, which keeps memory for every shape."""
    return 64 if device.type == "mps" else 8
