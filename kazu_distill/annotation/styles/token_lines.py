"""A line for each token with its tag, as in ``aspirin : B-drug``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import regex

from kazu_distill.annotation.grounding.boundaries import UNSPACED
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

_OUTSIDE, _BETWEEN = "O", "|"
_COLUMNS = " : "
_FENCE = "```"
_TOKEN = regex.compile(rf"[{UNSPACED}]\p{{M}}*+|(?:[\w\p{{M}}](?<![{UNSPACED}]))++|[^\w\s\x1c-\x1f]")


class TokenLines:
    """A line for each token of the text: the token, `` : ``, and its tag.

    The tag is ``O``, or ``B-name`` for the first and ``I-name`` for the further tokens of a mention, with names made
    from the classes'; several stand with ``|`` between them. So mentions of several classes may nest, coincide and
    cross. What it has no way to write: two mentions of one class over the same token, and a mention that begins or ends
    with white space. Tokens are words and single other characters, and are divided where a span begins or ends inside;
    an LLM may divide the text in its own way. The tag follows the last `` : `` of its line, so a token may be a colon.
    """

    wanted = "a line for each token of the text, with its tag, and nothing else"

    def describe(self, schema: Schema) -> str:
        """The name of each class with what belongs to it."""
        names = Names(schema, snake_case).of
        return "\n".join(
            explained(each, f'- B-{names[each.name]}, I-{names[each.name]} for "{" ".join(each.name.split())}"')
            for each in schema.classes
        )

    def answer_schema(self, schema: Schema) -> dict[str, object]:  # noqa: ARG002 — as in every style
        """None: it is plain text."""
        return {}

    def output_ratio(self, share: float) -> tuple[float, float, float]:  # noqa: ARG002 — each token has a tag anyway
        """A line is a token, a colon, a tag and its end; words that tokenizers divide make it less for a token."""
        return 3.0, 4.5, 6.0

    def render(self, text: str, spans: Sequence[Span], schema: Schema) -> str:
        """The lines.

        Raises:
            CannotExpress: spans of one class overlap, or one begins or ends with white space.
        """
        own = list({span.place: span for span in spans_of(spans, schema)}.values())
        for span in own:
            mention = text[span.start : span.end]
            if mention != mention.strip():
                raise CannotExpress(
                    f"{mention!r:.80} ({span.label}) begins or ends with white space, which is no token"
                )
        tokens = list(_tokens(text, {edge for span in own for edge in (span.start, span.end)}))
        starting = {start: index for index, (start, _) in enumerate(tokens)}
        ending = {end: index for index, (_, end) in enumerate(tokens)}
        names = Names(schema, snake_case).of
        tags: list[dict[str, str]] = [{} for _ in tokens]
        for span in own:
            for turn, index in enumerate(range(starting[span.start], ending[span.end] + 1)):
                if span.label in tags[index]:
                    mention = text[span.start : span.end]
                    raise CannotExpress(f"{mention!r:.80} overlaps another mention of its class, {span.label!r}")
                tags[index][span.label] = f"{'I' if turn else 'B'}-{names[span.label]}"
        return "\n".join(
            f"{text[start:end]}{_COLUMNS}{_BETWEEN.join(own.values()) or _OUTSIDE}"
            for (start, end), own in zip(tokens, tags, strict=True)
        )

    def parse(self, answer: str, text: str, schema: Schema) -> ParsedAnswer:
        """What the tags say, with its place in the text wherever the tokens are in the place of the same words.

        Where the answer ends before the text does, a mention that its last line belongs to may not be whole and does
        not count.

        Raises:
            UnreadableAnswer: there is no tag but O, and no line for at least half of the text.
        """
        lines = _Lines(Names(schema, snake_case))
        answer = answer_itself(answer, about=text)
        lines.read(answer)
        if not lines.tokens:
            raise UnreadableAnswer(f"the answer is not {self.wanted}; it begins with: {excerpt(answer)}")
        copy, starts, rest = _joined(lines.tokens, text)
        copied = Copied(copy, text)
        unended = lines.last_tag not in (None, _OUTSIDE) and not answer.endswith("\n")
        cut = (copied.ends_early if rest is None else bool(rest)) or (unended and lines.last_is_part)
        if cut and unended:
            lines.tags.pop()  # there may have been more of them
        stretches = list(_stretches(lines.tags, without_last=cut))
        if not stretches and copied.share < LEAST_COPIED:
            raise UnreadableAnswer(f"the answer is not {self.wanted}; it begins with: {excerpt(answer)}")
        mentions = []
        for first, last, label in sorted(stretches, key=lambda stretch: (stretch[0], -stretch[1])):
            start, end = starts[first], starts[last] + len(lines.tokens[last])
            place = copied.place(start, end) or (None, None)
            mentions.append(Mention(copy[start:end], label, *place))
        damage = copied.left_out() or ("the answer ends before the text does" if cut else None)
        faults = [Fault("damaged lines", damage)] if damage else []
        return ParsedAnswer(tuple(mentions), (*faults, *lines.faults), damage)


@dataclass(slots=True)
class _Lines:
    """Reads lines: tokens, and for each of them its tags: the class, and whether a mention begins there for sure."""

    names: Names
    tokens: list[str] = field(default_factory=list)
    tags: list[list[tuple[str, bool | None]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    last_tag: str | None = None  # of the last line, as it is written; None if that is no token with its tag
    last_is_part: bool = False  # it ends as a class's name does that is cut

    def read(self, answer: str) -> None:
        for line in answer.split("\n"):
            token, colon, tag = line.rpartition(":")
            token, tag = token.strip(), tag.strip()
            if not colon:
                token, _, tag = line.strip().rpartition("\t")
            self.last_is_part = False
            tags = self._tags(tag, token) if token and tag else None
            self.last_tag = None if tags is None else tag
            if tags is not None:
                self.tokens.append(token)
                self.tags.append(tags)
            elif line.strip() and not line.startswith(_FENCE):
                self.faults.append(Fault("not a token with its tag", f"{line.strip():.80}"))

    def _tags(self, written: str, token: str) -> list[tuple[str, bool | None]] | None:
        """None if that is no tag."""
        tags: list[tuple[str, bool | None]] = []
        for tag in map(str.strip, written.split(_BETWEEN)):
            if tag.upper() == _OUTSIDE:
                continue
            prefix, hyphen, name = tag.partition("-")
            has_prefix = bool(hyphen) and prefix.strip().upper() in ("B", "I")
            label = self.names.label(name) if has_prefix else self.names.label(tag)
            if label is not None:
                tags.append((label, prefix.strip().upper() == "B" if has_prefix else None))
            elif has_prefix:
                self.faults.append(self.names.unknown(name, token))
                self.last_is_part = any(each.startswith(name.lower()) for each in self.names.of.values())
            else:
                return None
        return tags


def _tokens(text: str, edges: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Words and single other characters, divided at some edges."""
    inner = sorted(edges)
    number = 0
    for token in _TOKEN.finditer(text):
        cuts = [token.start()]
        while number < len(inner) and inner[number] < token.end():
            if inner[number] > token.start():
                cuts.append(inner[number])
            number += 1
        yield from pairwise([*cuts, token.end()])


def _stretches(
    tags: Sequence[Sequence[tuple[str, bool | None]]], *, without_last: bool
) -> Iterator[tuple[int, int, str]]:
    """The first and the last token of each mention, and its class.

    A tag that does not say whether it begins a mention goes on with the one before, if there is one; so does ``I-``.
    """
    opened: dict[str, int] = {}
    for index, own in enumerate(tags):
        labels = dict(own)
        for label in list(opened):
            if label not in labels or labels[label]:
                yield opened.pop(label), index - 1, label
        for label in labels:
            opened.setdefault(label, index)
    if not without_last:
        for label, first in opened.items():
            yield first, len(tags) - 1, label


def _joined(tokens: Sequence[str], text: str) -> tuple[str, list[int], str | None]:
    """The tokens as a text, with the white space that the text has between them; where each begins; what comes after.

    From where on they are not the text's, there is a space between two of them, and None comes after.
    """
    pieces: list[str] = []
    starts: list[int] = []
    at = length = 0
    is_exact = True
    for token in tokens:
        following = at
        while is_exact and following < len(text) and text[following].isspace():
            following += 1
        is_exact = is_exact and text.startswith(token, following)
        between = text[at:following] if is_exact else " "
        starts.append(length + len(between))
        pieces += [between, token]
        length += len(between) + len(token)
        at = following + len(token)
    return "".join(pieces), starts, text[at:].strip() if is_exact else None
