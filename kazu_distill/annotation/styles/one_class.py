"""One class a question, as in "What describes a drug in the text?"; the answer is a JSON list of strings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from kazu_distill.annotation.parsing.answer import (
    Fault,
    Mention,
    ParsedAnswer,
    UnreadableAnswer,
    answer_itself,
    parse_answer,
    well_formed,
)
from kazu_distill.annotation.parsing.lenient_json import Array, Object, Value, excerpt, read_json
from kazu_distill.annotation.styles.explained import explained
from kazu_distill.annotation.styles.style import spans_of
from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema

_ANSWER_BEGINS = re.compile(r"""\s*(?:```|\{|\[\s*["'“\]])""")


class OneClass:
    """``["aspirin", …]``, the mentions of the only class that the question is about, in order of appearance.

    As in W. Zhou et al., "UniversalNER", ICLR 2024. It says what is mentioned and not
    where, as ``JsonList`` does.
    """

    wanted = "the whole JSON list of strings and nothing else"

    def describe(self, schema: Schema) -> str:
        """The question, and what belongs to the class.

        Raises:
            ConfigError: there are several.
        """
        if len(schema.classes) != 1:
            raise ConfigError(
                f"prompt.style: OneClass asks about one class at a time, and schema {schema.name!r} has "
                f"{len(schema.classes)}: set prompt.class_by_class=true"
            )
        [entity_class] = schema.classes
        name = json.dumps(entity_class.name, ensure_ascii=False)
        return f"What describes {name} in the text?\n\n{explained(entity_class, name)}"

    def answer_schema(self, schema: Schema) -> dict[str, object]:  # noqa: ARG002 — as in every style
        """None: providers want an object around everything that keeps to a schema."""
        return {}

    def output_ratio(self, share: float) -> tuple[float, float, float]:
        """All classes of gold together take 0.3 (BC5CDR) and 0.5 (BioNLP-CG)."""
        return 0.2 * share, 0.4 * share, 0.8 * share

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """Every span as a string."""
        return json.dumps([text[span.start : span.end] for span in spans_of(spans, schema)], ensure_ascii=False)

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:  # noqa: ARG002 — the text says nothing more
        """The strings of the first list of any; where there is none, what is read in answers of the default form.

        Raises:
            UnreadableAnswer: there is neither.
        """
        [label] = schema.labels
        values = read_json(answer_itself(answer, begins=_ANSWER_BEGINS))
        lists = [(value, array) for value in values if (array := _list_of_strings(value)) is not None]
        value, first = next(
            ((value, array) for value, array in lists if array.items), lists[0] if lists else (None, None)
        )
        if value is None or first is None:
            return self._in_default_form(answer, values, schema)
        damage = value.damage
        if damage is None and sum(bool(array.items) for _, array in lists) > 1:
            damage = "there is more than one list, of which only the first counts"
        outcomes = list(_outcomes(first, label))
        faults = [Fault("damaged JSON", well_formed(damage))] if damage else []
        faults += [Fault("JSON mended", what) for what in sorted(value.mended)]
        faults += [outcome for outcome in outcomes if isinstance(outcome, Fault)]
        mentions = tuple(outcome for outcome in outcomes if isinstance(outcome, Mention))
        return ParsedAnswer(mentions, tuple(faults), well_formed(damage) if damage else None)

    def _in_default_form(self, answer: str, values: Sequence[Array | Object], schema: Schema) -> ParsedAnswer:
        try:
            return parse_answer(answer, schema)
        except UnreadableAnswer as error:
            damage = next((value.damage for value in values if value.damage), None)
            what = f"it begins with: {excerpt(answer)}" if damage is None else well_formed(damage)
            raise UnreadableAnswer(f"the answer is no JSON list of strings: {what}") from error


def _list_of_strings(value: Value) -> Array | None:
    """The value, or the first list in an object, if strings stand there or it is empty."""
    while isinstance(value, Object):
        value = next((each for _, each in value.pairs if isinstance(each, Array | Object)), None)
    if not isinstance(value, Array):
        return None
    is_strings = any(isinstance(item, str) for item in value.items) or (value.closed and not value.items)
    return value if is_strings else None


def _outcomes(array: Array, label: str) -> Iterator[Mention | Fault]:
    for item in array.items:
        if isinstance(item, str) and item.strip():
            yield Mention(well_formed(str(item)), label)
        else:
            yield Fault("not a string", f"{item!r:.80}")
