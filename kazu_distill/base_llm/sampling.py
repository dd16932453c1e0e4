"""Chance that belongs to a question: the same answer in every run, whatever else is in the batch."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor

from kazu_distill.llm.protocol import Sampling


def chance_of(prompt: Sequence[int], sample: int) -> random.Random:
    """Where the chance of a question's answer comes from; another for each sample."""
    seed = hashlib.blake2b(f"{sample}:{','.join(map(str, prompt))}".encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(seed, "big"))


class SeededSampling(LogitsProcessor):
    """Leaves the one token of each row that chance takes; the one who generates then takes the likeliest.

    ``top_p`` keeps the likeliest tokens that together have that probability (Holtzman et al. 2020, "The Curious Case of
    Neural Text Degeneration").

    Args:
        sampling: with a temperature above 0.
        chances: one a row.
    """

    def __init__(self, sampling: Sampling, chances: Sequence[random.Random]) -> None:
        self._temperature = sampling.temperature or 1.0
        self._top_p = 1.0 if sampling.top_p is None else sampling.top_p
        self._chances = chances

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002 — transformers gives both by place
        """Scores ``(rows, vocabulary)`` in which one token of each row is possible."""
        likely = torch.softmax(scores / self._temperature, dim=-1)
        if self._top_p < 1:
            ranked, tokens = likely.sort(dim=-1, descending=True)
            is_beyond = ranked.cumsum(dim=-1) - ranked >= self._top_p
            is_beyond[:, 0] = False
            likely = likely.masked_fill(is_beyond.scatter(-1, tokens, is_beyond), 0.0)
        # In the order of the vocabulary: among tokens that are about as likely, that of likelihoods is itself chance.
        reached = likely.cumsum(dim=-1)
        drawn = torch.tensor([[chance.random()] for chance in self._chances], device=scores.device, dtype=likely.dtype)
        is_chosen = (reached > drawn * reached[:, -1:]) & (likely > 0)
        chosen = is_chosen.int().argmax(dim=-1, keepdim=True)  # the first of them
        return torch.full_like(scores, -torch.inf).scatter(-1, chosen, 0.0)
