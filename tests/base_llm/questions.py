"""Texts, questions and loaded tiny models: what tests of asking an open LLM have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.llm.protocol import Request
from kazu_distill.schema import Schema

SCHEMA = Schema(name="test", classes={"gene": {}, "disease": {}})
TEXTS = [
    "EGFR and TP53 are mutated in lung cancer of many patients.",
    "Aspirin caused delirium; β-catenin did not. 🧬 was seen.",
    '{"entities": [{"entity_match": "TP53", "entity_class": "gene"}, {"entity_match": "é", "entity_class": "gene"}]}',
] * 8
ANSWER_SCHEMA = JsonList().answer_schema(SCHEMA)
INSTRUCTIONS = "List every gene and every disease of the text, as JSON, each with its class. " * 6


def question(
    text: str, *, system: str = INSTRUCTIONS, schema: dict[str, Any] | None = None, sample: int = 0
) -> Request:
    """A question about a text."""
    return Request(system, text, ANSWER_SCHEMA if schema is None else schema, sample=sample)


def loaded(folder: Path, **settings: Any) -> tuple[Described, Any]:
    """A model of a folder, described and loaded, with numbers in which a batch changes next to nothing."""
    described = BaseLLM(str(folder), device="cpu", precision="fp32", **settings).describe()
    return described, described.load()
