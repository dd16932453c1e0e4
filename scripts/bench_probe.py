"""Measures the steps of a training that is somebody else's, by looking at what goes into its word embeddings.

It needs torch alone and changes nothing, so that every program is measured by the same clock: a step lasts from one
batch's arrival at the model to the next one's, with the loss, the optimizer and the making of the next batch. Steps in
between which the model was evaluated do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import torch
from bench_jobs import Trained, peak_bytes
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

_SYNCHRONISED = 10  # steps; a GPU is behind its program, and waiting for it at every step would slow it down


@dataclass
class TrainingProbe:
    """The batches that an embedding of ``vocabulary`` rows saw in training; ids in ``special`` are no real text."""

    vocabulary: int
    special: Iterable[int]
    _marks: list[tuple[float, float]] = field(default_factory=list)
    _tokens: list[Tensor] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _disturbed: set[int] = field(default_factory=set)

    def see(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A hook that is called before every module."""
        if not isinstance(module, nn.Embedding) or module.num_embeddings != self.vocabulary:
            return
        if not module.training:
            self._disturbed.add(len(self._marks) - 1)
            return
        ids: Tensor = inputs[0]
        if ids.is_cuda and len(self._marks) % _SYNCHRONISED == 0:
            torch.cuda.synchronize()
        self._marks.append((perf_counter(), process_time()))
        special = torch.tensor(list(self.special), device=ids.device)
        self._tokens.append((~torch.isin(ids, special)).sum())
        self._sizes.append(ids.numel())

    def measured(self, *, warm_up: int, model: str) -> Trained:
        """The steps after the first ``warm_up`` ones; the last step's end is not seen, so it does not count either.

        Raises:
            ValueError: there are no such steps.
        """
        every = _SYNCHRONISED if self._tokens and self._tokens[0].is_cuda else 1
        first = -(-warm_up // every) * every
        seconds = cpu_s = 0.0
        steps: list[int] = []
        for start in range(first, len(self._marks) - every, every):
            stretch = range(start, start + every)
            if not self._disturbed & set(stretch):
                seconds += self._marks[start + every][0] - self._marks[start][0]
                cpu_s += self._marks[start + every][1] - self._marks[start][1]
                steps += stretch
        if not steps:
            raise ValueError(f"{len(self._marks)} training steps were seen, too few to measure any after {warm_up}")
        tokens = sum(int(self._tokens[step]) for step in steps)
        return Trained(
            steps=len(steps),
            seconds=seconds,
            cpu_s=cpu_s,
            tokens=tokens,
            input_tokens=sum(self._sizes[step] for step in steps),
            model=model,
            peak_bytes=peak_bytes(),
        )


@contextmanager
def probed(tokenizer: Any, vocabulary: int) -> Iterator[TrainingProbe]:
    """A probe of every model that is trained in this process meanwhile."""
    special = [tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]
    probe = TrainingProbe(vocabulary, special)
    handle = register_module_forward_pre_hook(probe.see)
    try:
        yield probe
    finally:
        handle.remove()
