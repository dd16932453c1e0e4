"""The question that an LLM is asked about a text."""

from __future__ import annotations

from string import Template
from typing import Any

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import Request
from kazu_distill.schema import EntityClass, Schema


class Prompt:
    """Instructions rendered from the schema; the text itself is sent alone, as the user's message.

    Keeping the text out of the instructions means that nothing in a document can be taken for a part of them.

    Args:
        schema: the classes to ask for.
        instructions: a template in which ``$classes`` stands for the list of classes.

    Raises:
        ConfigError: the instructions have no ``$classes``, or another ``$name``.
    """

    def __init__(self, *, schema: Schema, instructions: str) -> None:
        classes = "\n".join(_describe(entity_class) for entity_class in schema.classes)
        try:
            self.instructions = Template(instructions).substitute(classes=classes).strip()
        except (KeyError, ValueError) as error:
            raise ConfigError(f"prompt.instructions: {error}; only $classes is known, write $$ for a dollar") from error
        if classes not in self.instructions:
            raise ConfigError("prompt.instructions: $classes is missing, so the LLM would not know what to look for")
        self._answer_schema = answer_schema(schema)

    def request(self, text: str) -> Request:
        """The question about a text."""
        return Request(system=self.instructions, user=text, answer_schema=self._answer_schema)


def answer_schema(schema: Schema) -> dict[str, Any]:
    """The JSON schema of an answer: a list of mentions with their class, in order of appearance."""
    mention = {
        "type": "object",
        "properties": {
            "entity_match": {"type": "string"},
            "entity_class": {"type": "string", "enum": [*schema.labels, *schema.ignored]},
        },
        "required": ["entity_match", "entity_class"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"entities": {"type": "array", "items": mention}},
        "required": ["entities"],
        "additionalProperties": False,
    }


def _describe(entity_class: EntityClass) -> str:
    lines = [f'- "{entity_class.name}"']
    if entity_class.definition:
        lines[0] += f": {' '.join(entity_class.definition.split())}"
    if entity_class.examples:
        lines.append(f"  Examples: {'; '.join(entity_class.examples)}")
    if entity_class.stop_words:
        lines.append(f"  Not on their own: {'; '.join(sorted(entity_class.stop_words))}")
    return "\n".join(lines)
