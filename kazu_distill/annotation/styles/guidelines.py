"""Classes as a program's, with guidelines as their docstrings; the answer is a list of instances, as in GoLLIE."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kazu_distill.annotation.parsing.answer import (
    Fault,
    Mention,
    ParsedAnswer,
    UnreadableAnswer,
    answer_itself,
    well_formed,
)
from kazu_distill.annotation.parsing.lenient_json import excerpt
from kazu_distill.annotation.styles.explained import remarks
from kazu_distill.annotation.styles.names import Names, camel_case
from kazu_distill.annotation.styles.style import spans_of
from kazu_distill.documents import Span
from kazu_distill.schema import EntityClass, Schema

# Each of these is linear: what it repeats cannot begin in two ways, and a string ends where the next one may begin.
_STRING = r"""(?P<string>[rR]?+(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'))"""
_HEAD = r"\b(?P<name>[^\W\d]\w*+)\s*+\(\s*+(?:\w++\s*+=\s*+)?+"
_ITEM = re.compile(rf"{_HEAD}{_STRING}\s*+(?:,[^()\"'\[\]]{{0,200}})?\)", re.DOTALL)
# The string's own quote stands inside it: it ends where the call does.
_UNESCAPED = re.compile(rf"{_HEAD}(?P<quote>[\"'])(?P<inside>[^\n]{{0,500}}?)(?P=quote)\s*+\)")
_CALL = re.compile(rf"{_HEAD}[\"']")
_LIST = re.compile(r"\[(?=\s*+(?:\]|\#|\Z|[^\W\d]\w*+\s*+\())")
_BETWEEN = re.compile(r"(?:[\s,]|\#[^\n]*+)*+")
_ANSWER_BEGINS = re.compile(r"\s*+(?:```|\[|[^\W\d]\w*+\s*+=\s*+\[)")


class Guidelines:
    """Classes as Python dataclasses, and ``[Drug(span="aspirin"), …]``, in order of appearance.

    As in O. Sainz et al., "GoLLIE: Annotation Guidelines improve Zero-Shot Information-Extraction", ICLR 2024. Nothing
    of an answer is run: it is searched for calls with one string, and of these strings alone the value is taken. It
    says what is mentioned and not where, as ``JsonList`` does.
    """

    wanted = "the whole Python list and nothing else"

    def describe(self, schema: Schema) -> str:
        """A dataclass for each class, with what belongs to it as its docstring."""
        names = Names(schema, camel_case).of
        return "\n\n\n".join(_dataclass(each, names[each.name]) for each in schema.classes)

    def answer_schema(self, schema: Schema) -> dict[str, object]:  # noqa: ARG002 — as in every style
        """None: it is no JSON."""
        return {}

    def output_ratio(self, share: float) -> tuple[float, float, float]:
        """Gold of BC5CDR takes 0.6, that of BioNLP-CG 1.2."""
        return 0.4 * share, 0.9 * share, 1.6 * share

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """Every span as an instance of its class."""
        names = Names(schema, camel_case).of
        listed = (
            f"{names[span.label]}(span={_literal(text[span.start : span.end])})" for span in spans_of(spans, schema)
        )
        return f"[{', '.join(listed)}]"

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:  # noqa: ARG002 — the text says nothing more
        """The whole items of the first list that has any; where there is no list, all that stand one after another.

        Raises:
            UnreadableAnswer: there is neither a list nor an item.
        """
        answer = answer_itself(answer, begins=_ANSWER_BEGINS)
        names = Names(schema, camel_case)
        empty = False
        damage: str | None = None
        for begin in _LIST.finditer(answer):
            found = _Items.of_list(answer, begin.end())
            if found.items:
                return found.read(names)
            damage = found.damage
            if damage is not None:  # it was searched up to the answer's end
                break
            empty = True
        if empty:
            return ParsedAnswer(())
        found = _Items([(match, False) for match in _ITEM.finditer(answer)])
        if not found.items:
            what = f"it begins with: {excerpt(answer)}" if damage is None else damage
            raise UnreadableAnswer(f"the answer is no Python list of entities: {what}")
        return found.read(names, Fault("not a list", excerpt(answer)))


@dataclass(slots=True)
class _Items:
    """The calls of an answer, each with whether its string was mended; and why others may be missing."""

    items: list[tuple[re.Match[str], bool]] = field(default_factory=list)
    damage: str | None = None

    @classmethod
    def of_list(cls, answer: str, at: int) -> _Items:
        """Those of a list, from behind its bracket; after what is none, the next one counts, up to the answer's end."""
        found = cls()
        while True:
            between = _BETWEEN.match(answer, at)
            at = between.end() if between else at
            if answer.startswith("]", at):
                later = _ITEM.search(answer, at) if found.items else None
                if later is not None:
                    found._break("there is more after the list, which does not count:", answer, later.start())
                return found
            item = _ITEM.match(answer, at)
            mended = _UNESCAPED.match(answer, at) if item is None else None
            if mended is not None and _CALL.search(mended["inside"]):
                mended = None  # the string is not closed, and that is the next one
            if item is None and mended is not None:
                found._break("a quote inside a string is not escaped:", answer, at)
            elif item is None:
                ends = "the list ends before it is closed; its last characters are"
                found._break("this is not an entity of the list:" if at < len(answer) else ends, answer, at)
                item = _ITEM.search(answer, at)
                if item is None:
                    return found
            match = item or mended
            assert match is not None
            found.items.append((match, item is None))
            at = match.end()

    def read(self, names: Names, *faults: Fault) -> ParsedAnswer:
        """The mentions that they stand for."""
        outcomes = list(self._outcomes(names))
        mentions = tuple(outcome for outcome in outcomes if isinstance(outcome, Mention))
        damage = [Fault("damaged list", self.damage)] if self.damage else []
        found = [outcome for outcome in outcomes if isinstance(outcome, Fault)]
        return ParsedAnswer(mentions, (*damage, *faults, *found), self.damage)

    def _outcomes(self, names: Names) -> Iterator[Mention | Fault]:
        for match, is_mended in self.items:
            mention = match["inside"] if is_mended else _value(match["string"])
            label = names.label(match["name"])
            if not mention.strip():
                yield Fault("no mention", f"{match[0]:.80}")
            elif label is None:
                yield names.unknown(match["name"], mention)
            else:
                yield Mention(well_formed(mention), label)

    def _break(self, what: str, answer: str, at: int) -> None:
        self.damage = self.damage or f"{what} {excerpt(answer, at)}"


def _dataclass(entity_class: EntityClass, name: str) -> str:
    about = " ".join(entity_class.name.split())
    if entity_class.definition:
        about += f": {' '.join(entity_class.definition.split())}"
    lines = [about, *remarks(entity_class)]
    if entity_class.stop_words:
        lines.append(f"Not on their own: {'; '.join(sorted(entity_class.stop_words))}")
    docstring = "\n    ".join(lines).replace("\\", "\\\\").replace('"""', '\\"""')
    ending = "\n    " if len(lines) > 1 else ""
    such = f"  # such as: {', '.join(map(_literal, entity_class.examples))}" if entity_class.examples else ""
    return f'@dataclass\nclass {name}(Entity):\n    """{docstring}{ending}"""\n\n    span: str{such}'


def _literal(text: str) -> str:
    """A string as Python writes it on one line; JSON's escapes are among Python's."""
    return json.dumps(text, ensure_ascii=False)


def _value(literal: str) -> str:
    """What a string's literal stands for; where that is nothing, as it is written."""
    inside = literal.lstrip("rR")[1:-1]
    if "\\" not in inside:
        return inside
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that Python does not know stands for itself
            value = ast.literal_eval(literal.replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0"))
    except (ValueError, SyntaxError):
        return inside
    return value if isinstance(value, str) else inside
