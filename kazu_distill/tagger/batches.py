"""Batches for training: windows of like length, about as many tokens in each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Sampler

from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.loss import UNTRAINED
from kazu_distill.tagger.padding import pad

_JITTER = 0.1


class TokenBatches(Sampler[list[int]]):
    """Batches of row numbers, of about ``batch_tokens`` tokens each, in another order and mixture each epoch.

    Rows are sorted by their lengths times a random factor of 1 ± 0.1, so that what stands together differs from epoch
    to epoch while little is padded, and cut where the sum of tokens says. The number of batches is the same in every
    epoch. Of several processes each takes batches of its own, equally many.

    Args:
        lengths: tokens of each row.
        batch_tokens: tokens of a batch, without padding, at the most on average; a longer row is a batch alone.
        seed: of all that is random, with the epoch.
        rank: of this process.
        processes: how many there are.
    """

    def __init__(
        self, lengths: NDArray[np.int32], *, batch_tokens: int, seed: int, rank: int = 0, processes: int = 1
    ) -> None:
        self._lengths = lengths
        self._seed = seed
        self._rank = rank
        self._processes = processes
        self._epoch = 0
        wanted = min(math.ceil(int(lengths.sum(dtype=np.int64)) / batch_tokens), len(lengths))
        self._batches = math.ceil(wanted / processes)

    def __len__(self) -> int:
        """Batches of this process in an epoch."""
        return self._batches

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next; the Trainer calls it."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        """The batches of the epoch."""
        random = np.random.default_rng((self._seed, self._epoch))
        order = np.argsort(self._lengths * random.uniform(1 - _JITTER, 1 + _JITTER, len(self._lengths)), kind="stable")
        total = self._batches * self._processes
        tokens = np.cumsum(self._lengths[order], dtype=np.int64)
        number = np.arange(1, total)
        cuts = tokens.searchsorted(number * (tokens[-1] / total))
        # A row that is longer than its share must not leave a batch empty.
        cuts = np.maximum.accumulate(np.maximum(cuts - number, 0)) + number
        batches = np.split(order, np.minimum(cuts, len(order) - number[::-1])) if total <= len(order) else [order]
        chosen = np.resize(random.permutation(len(batches)), total)  # they come twice where processes outnumber rows
        for number in chosen[self._rank :: self._processes]:
            yield batches[number].tolist()


class Collator:
    """Rows of the table as a padded batch: input ids, attention mask and labels.

    Args:
        padding: the token that fills up.
        scheme: what the tags are.
        tokens_behind: special tokens at the end of a row.
        multiple: lengths are rounded up to it.
        longest: tokens that no row may exceed.
    """

    def __init__(self, *, padding: int, scheme: LabelScheme, tokens_behind: int, multiple: int, longest: int) -> None:
        self._padding = padding
        self._scheme = scheme
        self._tags = len(scheme.tags)
        self._tokens_behind = tokens_behind
        self._multiple = multiple
        self._longest = longest

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """A batch.

        Returns:
            ``input_ids`` and ``attention_mask``: ``(batch, tokens)``; ``labels``: ``(batch, tokens, tags)`` in [0, 1]
            for words' first tokens, or for all of them if the scheme says so; ``UNTRAINED`` for all others.
        """
        input_ids, attention_mask = pad(
            [row["input_ids"] for row in rows], padding=self._padding, multiple=self._multiple, longest=self._longest
        )
        labels = torch.full((*input_ids.shape, self._tags), UNTRAINED)
        for index, row in enumerate(rows):
            words = torch.zeros((len(row["positions"]), self._tags))
            words[torch.tensor(row["tag_words"]).long(), torch.tensor(row["tag_ids"]).long()] = torch.tensor(
                row["tag_scores"]
            )
            if self._scheme.outside is not None:
                words[:, self._scheme.outside] = 1 - words.max(dim=1).values
            positions = torch.tensor(row["positions"]).long()
            if self._scheme.every_piece:
                end = len(row["input_ids"]) - self._tokens_behind
                pieces = torch.diff(positions, append=torch.tensor([end]))
                labels[index, positions[0] : end] = words.repeat_interleave(pieces, dim=0)
            else:
                labels[index, positions] = words
        return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}
