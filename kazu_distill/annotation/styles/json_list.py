"""The default form: classes as a list, and an answer that lists mentions as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kazu_distill.annotation.parsing.answer import ParsedAnswer, parse_answer
from kazu_distill.annotation.parsing.shapes import CLASS, ENTITIES, MATCH
from kazu_distill.annotation.styles.style import spans_of
from kazu_distill.documents import Span
from kazu_distill.schema import EntityClass, Schema


class JsonList:
    """``{"entities": [{"entity_match": …, "entity_class": …}, …]}``, in order of appearance.

    It says what is mentioned and not where: of a string that stands in a text several times, and is labelled at some of
    these places only, grounding has to guess which.
    """

    wanted = "the whole list as JSON alone"

    def describe(self, schema: Schema) -> str:
        """A line or more a class."""
        return "\n".join(_describe(entity_class) for entity_class in schema.classes)

    def answer_schema(self, schema: Schema) -> dict[str, Any]:
        """A list of mentions with their class, which the schema knows or ignores, or with a free type."""
        names = {} if schema.ask_for == "types" else {"enum": [*schema.labels, *schema.ignored]}
        mention = {
            "type": "object",
            "properties": {
                MATCH: {"type": "string"},
                CLASS: {"type": "string", **names},
            },
            "required": [MATCH, CLASS],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {ENTITIES: {"type": "array", "items": mention}},
            "required": [ENTITIES],
            "additionalProperties": False,
        }

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """Every span as a mention with its class."""
        listed = [{MATCH: text[span.start : span.end], CLASS: span.label} for span in spans_of(spans, schema)]
        return json.dumps({ENTITIES: listed}, ensure_ascii=False)

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:  # noqa: ARG002 — the text says nothing more
        """What is well formed of the JSON."""
        return parse_answer(answer, schema)


def _describe(entity_class: EntityClass) -> str:
    lines = [f'- "{entity_class.name}"']
    if entity_class.definition:
        lines[0] += f": {' '.join(entity_class.definition.split())}"
    for heading, items in (
        ("Belongs here", entity_class.includes),
        ("Does not belong here", entity_class.excludes),
        *((f'Not this, but "{other}"', (what,)) for other, what in entity_class.near_misses),
        ("Examples", entity_class.examples),
        ("Not on their own", tuple(sorted(entity_class.stop_words))),
    ):
        if items:
            lines.append(f"  {heading}: {'; '.join(items)}")
    return "\n".join(lines)
