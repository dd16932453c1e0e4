"""A form of answer that lists each class's mentions, as instruct-ner does, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kazu_distill.annotation.parsing.answer import Mention, ParsedAnswer, parse_answer
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.annotation.styles.style import spans_of
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema

FORMS = ("full", "short")


class ClassLists:
    """``{"gene": ["EGFR", …], "disease": []}``: each class with its mentions in order of appearance.

    instruct-ner writes ``gene: EGFR, TP53`` and a line break, and splits at commas and colons when it reads that; so
    "1,2-dichloroethane" comes back as two mentions, and a class named "gene, protein" as none. JSON quotes both.
    It says what is mentioned and not where, and nothing of the order between classes.

    Args:
        form: ``full``: every class, empty ones too; ``short``: those that occur.

    Raises:
        ConfigError: ``form`` is neither.
    """

    wanted = "the whole JSON object alone"

    def __init__(self, *, form: str = "full") -> None:
        if form not in FORMS:
            raise ConfigError(f"form={form}: choose full (every class, empty ones too) or short (those that occur)")
        self._full = form == "full"

    def describe(self, schema: Schema) -> str:
        """A line or more a class."""
        return JsonList().describe(schema)

    def answer_schema(self, schema: Schema) -> dict[str, Any]:
        """A list of strings for each class; for none but some, in the short form."""
        return {
            "type": "object",
            "properties": {label: {"type": "array", "items": {"type": "string"}} for label in schema.labels},
            "required": list(schema.labels) if self._full else [],
            "additionalProperties": False,
        }

    def output_ratio(self, share: float) -> tuple[float, float, float]:
        """Gold of BC5CDR takes 0.3, that of BioNLP-CG 0.9."""
        return 0.25 * share, 0.6 * share, 1.2 * share

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """The mentions by class, in the schema's order of classes."""
        listed: dict[str, list[str]] = {label: [] for label in schema.labels}
        for span in spans_of(spans, schema):
            listed[span.label].append(text[span.start : span.end])
        shown = {label: mentions for label, mentions in listed.items() if mentions or self._full}
        return json.dumps(shown, ensure_ascii=False)

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:  # noqa: ARG002 — the text says nothing more
        """What is well formed of the JSON; of an answer in another shape, what ``parse_answer`` makes of it."""
        mentions = _exactly_as_asked(answer, schema)
        return parse_answer(answer, schema) if mentions is None else ParsedAnswer(mentions)


def _exactly_as_asked(answer: str, schema: Schema) -> tuple[Mention, ...] | None:
    """The mentions of an answer in which nothing is out of the ordinary; None for any other.

    Classes may be named like the keys that ``parse_answer`` looks for ("entities", "name"), so it is not asked first.
    """
    try:
        pairs = json.loads(answer, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    labels = set(schema.labels)
    mentions = []
    if not isinstance(pairs, list) or (not pairs and answer.strip().startswith("[")):
        return None
    for pair in pairs:
        if not (isinstance(pair, tuple) and pair[0] in labels and isinstance(pair[1], list)):
            return None
        if not all(isinstance(mention, str) and mention.strip() and _is_well_formed(mention) for mention in pair[1]):
            return None
        mentions += [Mention(mention, pair[0]) for mention in pair[1]]
    return tuple(mentions)


def _is_well_formed(mention: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in mention)
