"""Makers of records in tests."""

from __future__ import annotations

from functools import partial

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.annotation.grounding.grounder import Grounder
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.annotation.styles.style import Style
from kazu_distill.instruction.making import RecordMaker
from kazu_distill.instruction.negatives import Negatives
from kazu_distill.instruction.noise import Noise
from kazu_distill.retrieval.shown import Examples
from kazu_distill.schema import Schema


def maker(
    schema: Schema,
    *,
    style: Style | None = None,
    class_by_class: bool = False,
    tokens: int = 1000,
    context_tokens: int = 0,
    examples: Examples | None = None,
    negatives: Negatives | None = None,
    noise: Noise | None = None,
    seed: int = 1,
) -> RecordMaker:
    """A maker with what a test does not care for filled in."""
    return RecordMaker(
        schema=schema,
        make_prompt=partial(Prompt, instructions="Find:\n$classes", style=style, class_by_class=class_by_class),
        class_by_class=class_by_class,
        chunker=Chunker(tokens=tokens, context_tokens=context_tokens),
        grounder=Grounder(occurrences="listed", split_abbreviations=False),
        examples=examples,
        negatives=negatives or Negatives(by="none"),
        noise=noise or Noise(),
        seed=seed,
    )
