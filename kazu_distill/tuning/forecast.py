"""What a run will take: micro-batches, steps, and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kazu_distill.base_llm.memory import Memory, tuning_memory
from kazu_distill.base_llm.shape import shape_of_model
from kazu_distill.tuning.training import Job


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run takes.

    Args:
        micro_batches: of an epoch, on all devices.
        steps: of an epoch.
        filled: the share of ``batch_tokens`` that is used.
        trained: numbers that are learnt.
        memory: on each device.
    """

    micro_batches: int
    steps: int
    filled: float
    trained: int
    memory: Memory


def forecast(job: Job, *, seed: int, processes: int) -> Forecast:
    """Count what a run will take, without its weights.

    Args:
        job: what is tuned.
        seed: of the run.
        processes: among which micro-batches are shared.
    """
    described, settings = job.described, job.settings
    bins = job.bins(seed=seed)
    sizes = [_size(job, numbers) for numbers in bins]
    if job.adapter is None:
        trained = shape_of_model(described).parameters
    else:
        trained = job.adapter.weights(described, tokens=len(job.added))
    memory = tuning_memory(
        described,
        trained=trained,
        batch_tokens=max(tokens for tokens, _ in sizes),
        learnt_tokens=max(learnt for _, learnt in sizes),
        gradient_checkpointing=settings.gradient_checkpointing,
        longest=max(map(len, job.rows)) if described.is_seq2seq else None,
        shards=processes if settings.arguments.get("fsdp") else 1,
    )
    if job.adapter is None:  # the weights are those that are trained
        memory = replace(memory, parts={name: size for name, size in memory.parts.items() if name != "weights"})
    own = math.ceil(len(bins) / processes)
    used = sum(tokens for tokens, _ in sizes) / (len(bins) * settings.batch_tokens)
    return Forecast(len(bins), math.ceil(own / settings.gradient_accumulation), used, trained, memory)


def _size(job: Job, numbers: Sequence[int]) -> tuple[int, int]:
    """Tokens of a micro-batch, with what fills it up, and those whose logits are computed."""
    rows = [job.rows[number] for number in numbers]
    learnt = [len(row.answer) for row in rows]
    if job.described.is_seq2seq:
        return len(rows) * max(len(row.prompt) for row in rows), len(rows) * max(learnt)
    return sum(map(len, rows)), sum(learnt)
