"""How fast a model answers, as ``llm=transformers`` asks it: several questions at once that begin alike.

Questions share their first tokens, as those of a run share the instructions, and answers are as long as they may be,
so that all batches do the same work. "Forced" holds them to a JSON schema of a hundred entities with 18 classes, which
none of them completes; without it, tokens come as they come. Seconds are those of reading the questions and writing the
answers; with ``reuse`` what they share has been read by an earlier batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bench_llm_model import peak_of, timed

from kazu_distill.base_llm.errors import OutOfMemory
from kazu_distill.base_llm.generation import Generator, Question
from kazu_distill.base_llm.memory import asking_memory
from kazu_distill.base_llm.settings import Described
from kazu_distill.llm.protocol import Sampling

SCHEMA = {
    "type": "object",
    "properties": {
        "entities": {
            "type": "array",
            "minItems": 100,
            "items": {
                "type": "object",
                "properties": {
                    "entity_match": {"type": "string"},
                    "entity_class": {"type": "string", "enum": [f"class_{number}" for number in range(18)]},
                },
                "required": ["entity_match", "entity_class"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["entities"],
    "additionalProperties": False,
}
_NO_LIMIT = 10**12
COLUMNS = ["answering", "tokens/s", "questions/s", "peak GB", "estimated GB"]


def answered(
    described: Described, model: Any, *, batch: int, shared: int, own: int, answer: int, least_s: float, forced: bool,
    reuse: bool,
) -> list[str]:  # fmt: skip
    """The cells of a row but the first.

    Args:
        described: the model's shape and device.
        model: with its weights.
        batch: questions at once.
        shared: tokens that all questions begin with.
        own: tokens of each alone.
        answer: tokens of an answer.
        least_s: how long is measured.
        forced: hold answers to the schema.
        reuse: read what questions share once.

    Raises:
        OutOfMemory: the batch was answered in parts only.
    """
    chance = np.random.default_rng(1)
    tokens = len(described.form.tokenizer)
    beginning = chance.integers(3, tokens, shared).tolist()
    schema = SCHEMA if forced else {}
    questions = [Question([*beginning, *chance.integers(3, tokens, own).tolist()], schema) for _ in range(batch)]
    sampling = Sampling(temperature=0.0, top_p=None, max_output_tokens=answer)
    written: list[int] = []
    with peak_of(described.device) as peak:
        generator = Generator(described, model, batch_tokens=_NO_LIMIT, forced=forced, reuse=reuse)

        def ask() -> None:
            written.append(sum(each.output_tokens for each in generator.answer(questions, sampling)))
            if len(generator.batches(questions, sampling)) > 1:  # it asks for less once memory has ended
                raise OutOfMemory(f"{batch} at once do not fit")

        seconds = timed(ask, described.device, least_s=least_s)
    estimated = asking_memory(described, batch=batch, tokens=shared + own + answer).total
    return [
        f"{written[-1] / seconds:,.0f}",
        f"{batch / seconds:,.2f}",
        f"{peak[0] / 1e9:.1f}" if peak else "",
        f"{estimated / 1e9:.1f}",
    ]
