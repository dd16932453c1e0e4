"""Which records a micro-batch holds."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


def packed(lengths: Sequence[int], *, batch_tokens: int, seed: int) -> list[list[int]]:
    """Records put together so that none exceeds ``batch_tokens``, in about as few micro-batches as there can be.

    The longest first, each where least room is left behind it (best fit decreasing; Johnson 1973, "Near-optimal bin
    packing algorithms"). A record that is longer than ``batch_tokens`` is a micro-batch alone.

    Args:
        lengths: tokens of each record.
        batch_tokens: of a micro-batch.
        seed: chooses among records of one length.
    """
    order = np.random.default_rng(seed).permutation(len(lengths)).tolist()
    order.sort(key=lambda number: -lengths[number])
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []  # what each bin has left, the smallest first
    for number in order:
        place = _first(room, lengths[number])
        if place == len(room):
            bins.append([number])
            insort(room, (max(batch_tokens - lengths[number], 0), len(bins) - 1))
        else:
            left, chosen = room.pop(place)
            bins[chosen].append(number)
            insort(room, (left - lengths[number], chosen))
    return bins


def _first(room: Sequence[tuple[int, int]], wanted: int) -> int:
    low, high = 0, len(room)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if room[middle][0] >= wanted else (middle + 1, high)
    return low


def padded(sizes: Sequence[tuple[int, int]], *, batch_tokens: int, seed: int) -> list[list[int]]:
    """Records of like length together, so that with their padding they have no more than ``batch_tokens``.

    Args:
        sizes: tokens of each record's question and answer.
        batch_tokens: of a micro-batch, what fills it up counted; a record that has more is one alone.
        seed: chooses among records of one length.
    """
    order = np.random.default_rng(seed).permutation(len(sizes)).tolist()
    order.sort(key=lambda number: sum(sizes[number]))
    bins: list[list[int]] = []
    widths = (0, 0)
    for number in order:
        wider = (max(widths[0], sizes[number][0]), max(widths[1], sizes[number][1]))
        if bins and (len(bins[-1]) + 1) * sum(wider) <= batch_tokens:
            bins[-1].append(number)
            widths = wider
        else:
            bins.append([number])
            widths = sizes[number]
    return bins


class MicroBatches(Sampler[list[int]]):
    """Micro-batches in another order each epoch; of several processes each takes its own, equally many.

    Where they cannot be dealt out evenly, some come twice.

    Args:
        bins: the records of each.
        seed: of the order, with the epoch.
        rank: of this process.
        processes: how many there are.
    """

    def __init__(self, bins: Sequence[list[int]], *, seed: int, rank: int = 0, processes: int = 1) -> None:
        self._bins = bins
        self._seed = seed
        self._rank = rank
        self._processes = processes
        self._epoch = 0

    def __len__(self) -> int:
        """Micro-batches of this process in an epoch."""
        return math.ceil(len(self._bins) / self._processes)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; the Trainer calls it."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        """The micro-batches of the epoch."""
        order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._bins))
        for number in np.resize(order, len(self) * self._processes)[self._rank :: self._processes]:
            yield self._bins[number]
