"""Reading JSON as LLMs write it: one pass over the text, whatever is in it, that says where it is not JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kazu_distill.annotation.parsing.json_tokens import (
    AFTER_STRING,
    COLON,
    CONSTANTS,
    NUMBER,
    START,
    STRING_ENDS,
    TOKEN,
    unescape,
)

_DEEPEST = 100  # containers inside one another; no answer needs more than five
_QUOTED = 80  # characters of an answer that a message repeats at most


class Number(str):
    """A number, as it is written."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Array:
    """A list.

    ``closed`` is False where the text ends inside it. ``damage`` says, as a sentence's main part, why something of it
    or of what it holds may be lost; ``mended`` what was not JSON, but can mean one thing only.
    """

    items: list[Value] = field(default_factory=list)
    closed: bool = False
    damage: str | None = None
    mended: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Object:
    """An object, with every pair that was written, keys that come twice too; further fields as in ``Array``."""

    pairs: list[tuple[str, Value]] = field(default_factory=list)
    closed: bool = False
    damage: str | None = None
    mended: set[str] = field(default_factory=set)


Value: TypeAlias = Array | Object | str | bool | None


def read_json(text: str) -> list[Array | Object]:
    """The objects and lists that stand in a text one after another, in time that is linear in its length.

    Valid JSON is read as it is. Beyond it: words around it, comments, missing and spare commas, single and typographic
    quotes, keys without quotes, Python's constants. An unescaped quote in a string is told from the string's end by
    what comes next, so that one broken string does not spoil what follows. What is not closed is closed: by the
    bracket that closes what is around it, or by the end of the text. A string that the text ends in is left out.
    """
    reader = _Reader(text)
    reader.read()
    return reader.values


def excerpt(text: str, at: int = 0) -> str:
    """What stands at a place of a text, or the last of it where that is the end; on one line, for a message."""
    before, after = text[max(0, at - 2 * _QUOTED) : at], text[at : at + 2 * _QUOTED]
    return " ".join(after.split())[:_QUOTED] or " ".join(before.split())[-_QUOTED:]


@dataclass(slots=True)
class _Frame:
    """A container that is being read, and what may come next in it."""

    node: Array | Object
    next: Literal["key", "colon", "value", "comma"]
    key: str = ""
    after_comma: bool = False


class _Reader:
    def __init__(self, text: str) -> None:
        self.values: list[Array | Object] = []
        self._text = text
        self._open: list[_Frame] = []
        self._open_of = {Array: 0, Object: 0}
        self._too_deep = 0

    def read(self) -> None:
        position = 0
        while True:
            if not self._open:
                start = START.search(self._text, position)
                if start is None:
                    return
                position = start.start()
            token = TOKEN.match(self._text, position)
            if token is None:
                break
            position = self._take(token)
        if self._open:
            self._damage("the JSON ends before it is closed; its last characters are", len(self._text))
        while self._open:
            self._leave(closed=False)

    def _take(self, token: re.Match[str]) -> int:
        """Deal with a token and say where the next one begins."""
        kind, position = token.lastgroup, token.end()
        if kind == "mark":
            self._mark(token[0], token.start())
        elif kind == "plain":
            self._scalar(token["plain"], token.start())
        elif kind == "quote":
            return self._string(token[0], token.start())
        elif kind == "bare":
            self._bare(token[0], token.start(), position)
        elif kind == "comment":
            self._mend("a comment")
            if token[0] == "/*":
                close = self._text.find("*/", position)
                return close + 2 if close >= 0 else len(self._text)
        return position

    def _string(self, opening: str, start: int) -> int:
        inside: int | None = None
        for match in STRING_ENDS[opening].finditer(self._text, start + 1):
            if match[0][0] == "\\":
                continue
            if match[0][0] in ",{":
                self._damage("a string is not closed:", start)
                if match[0][0] == ",":
                    self._scalar(self._text[start + 1 : match.start()].rstrip(), start)
                return match.start()
            if AFTER_STRING[opening].match(self._text, match.end()):
                if opening != '"':
                    self._mend('quotes that are not "')
                if inside is not None:
                    self._damage("a quote inside a string is not escaped:", start)
                self._scalar(unescape(self._text[start + 1 : match.start()]), start)
                return match.end()
            inside = match.start() if inside is None else inside
        return len(self._text)

    def _bare(self, word: str, start: int, end: int) -> None:
        frame = self._open[-1]
        if isinstance(frame.node, Object) and frame.next in ("key", "comma") and COLON.match(self._text, end):
            self._mend("a key without quotes")
            self._scalar(word, start)
        elif word in CONSTANTS:
            if word not in ("true", "false", "null"):
                self._mend("a constant that is not JSON's")
            self._scalar(CONSTANTS[word], start)
        elif NUMBER.fullmatch(word):
            self._scalar(Number(word), start)
        else:
            self._damage("this is not JSON:", start)

    def _mark(self, mark: str, start: int) -> None:
        if mark in "{[":
            self._enter(Object() if mark == "{" else Array(), start)
        elif mark in "}]":
            self._close(Object if mark == "}" else Array, start)
        elif self._too_deep:
            return
        elif mark == ",":
            self._comma(self._open[-1], start)
        elif self._open[-1].next == "colon":
            self._open[-1].next = "value"
        else:
            self._damage("a colon where none belongs:", start)

    def _comma(self, frame: _Frame, start: int) -> None:
        if frame.next == "comma":
            frame.after_comma = True
        elif isinstance(frame.node, Object) and frame.next != "key":
            self._damage("a key without a value before", start)
        else:
            self._mend("a comma too many")
        frame.next = _first(frame.node)

    def _scalar(self, value: Value, start: int) -> None:
        if self._too_deep:
            return
        frame = self._open[-1]
        if isinstance(frame.node, Object) and frame.next != "value":
            if frame.next == "comma":
                self._mend("a missing comma")
            elif frame.next == "colon":
                self._damage("a key without a value before", start)
            frame.key, frame.next = str(value), "colon"
        else:
            self._put(frame, value)

    def _put(self, frame: _Frame, value: Value) -> None:
        if isinstance(frame.node, Array):
            if frame.next == "comma":
                self._mend("a missing comma")
            frame.node.items.append(value)
        else:
            frame.node.pairs.append((frame.key, value))
        frame.next, frame.after_comma = "comma", False

    def _enter(self, node: Array | Object, start: int) -> None:
        if len(self._open) >= _DEEPEST:
            self._damage("it is nested too deep:", start)
            self._too_deep += 1
            return
        if self._open and isinstance(self._open[-1].node, Object) and self._open[-1].next != "value":
            self._damage("something is missing before", start)
            if len(self._open) > 1 and isinstance(self._open[-2].node, Array):
                self._leave(closed=True)  # the list's next item begins: the one before was not closed
        if self._open:
            self._put(self._open[-1], node)
        else:
            self.values.append(node)
        self._open.append(_Frame(node, _first(node)))
        self._open_of[type(node)] += 1

    def _close(self, kind: type[Array | Object], start: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
            return
        if not isinstance(self._open[-1].node, kind):
            self._damage("the wrong bracket closes it:", start)
            if not self._open_of[kind]:
                return
            while not isinstance(self._open[-1].node, kind):
                self._leave(closed=True)
        frame = self._open[-1]
        if frame.after_comma and frame.next != "comma":
            self._mend("a comma too many")
        if isinstance(frame.node, Object) and frame.next in ("colon", "value"):
            self._damage("a key without a value before", start)
        self._leave(closed=True)

    def _leave(self, *, closed: bool) -> None:
        node = self._open.pop().node
        node.closed = closed
        self._open_of[type(node)] -= 1
        if self._open:
            self._open[-1].node.mended |= node.mended
            self._open[-1].node.damage = self._open[-1].node.damage or node.damage

    def _damage(self, what: str, at: int) -> None:
        node = self._open[-1].node
        if node.damage is None:
            node.damage = f"{what} {excerpt(self._text, at)}"

    def _mend(self, what: str) -> None:
        self._open[-1].node.mended.add(what)


def _first(node: Array | Object) -> Literal["key", "value"]:
    return "value" if isinstance(node, Array) else "key"
