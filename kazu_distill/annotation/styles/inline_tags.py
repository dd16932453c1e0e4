"""The text again with a tag around each mention, as in ``<drug>aspirin</drug>``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

from kazu_distill.annotation.parsing.answer import (
    Fault,
    Mention,
    ParsedAnswer,
    UnreadableAnswer,
    answer_itself,
)
from kazu_distill.annotation.parsing.lenient_json import excerpt
from kazu_distill.annotation.styles.copied import LEAST_COPIED, Copied
from kazu_distill.annotation.styles.explained import explained
from kazu_distill.annotation.styles.names import Names, snake_case
from kazu_distill.annotation.styles.style import CannotExpress, spans_of
from kazu_distill.documents import Span
from kazu_distill.schema import Schema

_NAME = r"[\w\t -]{1,80}"
_TAG = re.compile(rf"<\s*+(?P<slash>/?+)\s*+(?P<name>{_NAME})>")
# What is a tag but for its first character: that character, and what stands for it.
_ESCAPABLE = re.compile(rf"(?:<|&(?:amp;)*+lt;)(?=\s*+/?+\s*+(?P<name>{_NAME})>)")
_CUT_TAG = re.compile(r"<[^<>\n]{0,80}\Z")
_DEEPEST = 30  # tags inside one another; no text has that many spans over a character


class InlineTags:
    """The whole text, with ``<name>`` before and ``</name>`` after each mention; names are made from the classes'.

    It says where each mention stands, so nothing is to be searched for where the copy can be aligned with the text.
    Spans may nest, coincide and cross, but two of one class cannot cross. What the text itself has in the form of one
    of the tags is written with ``&lt;`` for its ``<``, and no other ``<`` or ``&`` is touched: ``&lt;drug>`` becomes
    ``&amp;lt;drug>``, so that every text can be told from its escaped form.
    """

    wanted = "the whole text with its tags, and nothing else"

    def describe(self, schema: Schema) -> str:
        """The tag of each class with what belongs to it."""
        names = Names(schema, snake_case).of
        return "\n".join(
            explained(each, f'- <{names[each.name]}>…</{names[each.name]}> for "{" ".join(each.name.split())}"')
            for each in schema.classes
        )

    def answer_schema(self, schema: Schema) -> dict[str, object]:  # noqa: ARG002 — as in every style
        """None: it is plain text."""
        return {}

    def output_ratio(self, share: float) -> tuple[float, float, float]:
        """The text itself, and tags: gold of BC5CDR takes 1.4, that of BioNLP-CG 2.0 to 2.3."""
        return 1 + 0.2 * share, 1 + 0.8 * share, 1 + 1.6 * share

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """The text with tags.

        Raises:
            CannotExpress: two spans of one class cross.
        """
        names = Names(schema, snake_case)
        marks: list[tuple[int, str]] = []
        open_spans: list[Span] = []
        for span in {each.place: each for each in spans_of(spans, schema)}.values():
            marks += _closed(open_spans, span.start, names)
            crossed = next((each for each in open_spans if each.label == span.label and each.end < span.end), None)
            if crossed is not None:
                raise CannotExpress(
                    f"{text[crossed.start : crossed.end]!r:.80} and {text[span.start : span.end]!r:.80} cross and "
                    f"both are {span.label!r}: tags cannot say which begins where"
                )
            marks.append((span.start, f"<{names.of[span.label]}>"))
            open_spans.append(span)
        marks += _closed(open_spans, len(text), names)
        cuts = [0, *(place for place, _ in marks), len(text)]
        pieces = (_escaped(text[start:end], names) for start, end in pairwise(cuts))
        return "".join(chain.from_iterable(zip(pieces, [*(mark for _, mark in marks), ""], strict=True)))

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:
        """What stands between tags, with its place in the text wherever the copy has it in the place of the same words.

        What is not sure of its place is left to be searched for.

        Raises:
            UnreadableAnswer: there is no tag, and no copy of at least half of the text.
        """
        tagged = _Tagged(Names(schema, snake_case), {match[0] for match in _TAG.finditer(text)})
        tagged.read(answer_itself(answer, about=text), text)
        copied = Copied(tagged.copy, text)
        if not tagged.spans and copied.share < LEAST_COPIED:
            raise UnreadableAnswer(f"the answer is not {self.wanted}; it begins with: {excerpt(answer)}")
        mentions = []
        for start, end, label in sorted(tagged.spans, key=lambda span: (span[0], -span[1])):
            place = copied.place(start, end) or (None, None)
            mentions.append(Mention(tagged.copy[start:end], label, *place))
        damage = tagged.damage or copied.left_out()
        faults = [Fault("damaged tags", damage)] if damage else []
        return ParsedAnswer(tuple(mentions), (*faults, *tagged.faults), damage)


@dataclass(slots=True)
class _Tagged:
    """Reads tags: the text without them, and what they mark."""

    names: Names
    in_text: set[str]  # what looks like a tag in the text
    spans: list[tuple[int, int, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    damage: str | None = None
    copy: str = ""

    def read(self, answer: str, text: str) -> None:
        cut = _CUT_TAG.search(answer, max(0, len(answer) - 100))
        if cut is not None and not text.rstrip().endswith(cut[0].rstrip()):
            self._break("the answer ends inside a tag:", answer, cut.start())
            answer = answer[: cut.start()]
        pieces: list[str] = []
        length = done = 0
        opened: list[tuple[int, str, int]] = []  # where in the copy, class, where in the answer
        for tag in _TAG.finditer(answer):
            label = self.names.label(tag["name"])
            if label is None and tag[0] in self.in_text:
                continue
            pieces.append(_unescaped(answer[done : tag.start()], self.names))
            length += len(pieces[-1])
            done = tag.end()
            if label is None:
                if not tag["slash"]:
                    self.faults.append(self.names.unknown(tag["name"].strip(), excerpt(answer, tag.end())))
            elif not tag["slash"]:
                if len(opened) < _DEEPEST:
                    opened.append((length, label, tag.start()))
                else:
                    self._break("there are too many tags inside one another:", answer, tag.start())
            else:
                own = next((index for index in reversed(range(len(opened))) if opened[index][1] == label), None)
                if own is None:
                    self._break("a tag is closed that was not opened:", answer, tag.start())
                else:
                    self._add(opened.pop(own)[0], length, label, excerpt(answer, tag.start()))
        pieces.append(_unescaped(answer[done:], self.names))
        self.copy = "".join(pieces)
        for _, _, at in opened:
            self._break("a tag is not closed:", answer, at)

    def _add(self, start: int, end: int, label: str, shown: str) -> None:
        if start < end:
            self.spans.append((start, end, label))
        else:
            self.faults.append(Fault("nothing between tags", shown))

    def _break(self, what: str, answer: str, at: int) -> None:
        self.damage = self.damage or f"{what} {excerpt(answer, at)}"


def _closed(open_spans: list[Span], until: int, names: Names) -> Iterator[tuple[int, str]]:
    """The closing tags of spans that end up to a place, the inner ones first where several end; takes these away."""
    inner_first = [*reversed(open_spans)]
    for span in sorted(inner_first, key=lambda span: span.end):
        if span.end <= until:
            open_spans.remove(span)
            yield span.end, f"</{names.of[span.label]}>"


def _escaped(text: str, names: Names) -> str:
    return _ESCAPABLE.sub(lambda mark: mark[0] if names.label(mark["name"]) is None else _more(mark[0]), text)


def _unescaped(text: str, names: Names) -> str:
    return _ESCAPABLE.sub(lambda mark: mark[0] if names.label(mark["name"]) is None else _less(mark[0]), text)


def _more(mark: str) -> str:
    return "&lt;" if mark == "<" else f"&amp;{mark[1:]}"


def _less(mark: str) -> str:
    return "<" if mark in ("<", "&lt;") else f"&{mark.removeprefix('&amp;')}"
