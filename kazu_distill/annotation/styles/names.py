"""Short names for classes, where an answer cannot carry theirs: tags, and classes of a program."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence

from kazu_distill.annotation.parsing.answer import Fault
from kazu_distill.schema import Schema

_WORD = re.compile(r"[^\W_]+")
_THOUGHTS = ("think", "thinking", "thought", "reasoning")  # tags around what is no part of an answer
_LONGEST = 40  # characters of a name, before what makes it unique


def snake_case(words: Sequence[str]) -> str:
    """``gene_or_gene_product``."""
    name = "_".join(_WORD.findall(" ".join(words).lower()))[:_LONGEST].strip("_") or "class"
    return f"{name}_" if name in _THOUGHTS else name


def camel_case(words: Sequence[str]) -> str:
    """``GeneOrGeneProduct``, a name that a Python class can have."""
    joined = "".join(word[0].upper() + word[1:] for word in words)
    name = "".join(character for character in joined if f"a{character}".isidentifier())[:_LONGEST]
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"Class{name}"


class Names:
    """A name for each class of a schema; no two are equal, whatever of them an LLM writes differently.

    Case, and all that is neither a letter nor a digit, does not count when a name is looked up.

    Args:
        schema: the classes.
        spell: a name out of the words of a class's own, which may have any characters.
    """

    def __init__(self, schema: Schema, spell: Callable[[Sequence[str]], str]) -> None:
        self.of: dict[str, str] = {}
        """By label."""
        self._labels: dict[str, str] = {}
        for label in schema.labels:
            name = plain = spell(_WORD.findall(label))
            number = 1
            while not _fold(name) or _fold(name) in self._labels:
                number += 1
                name = f"{plain}_{number}"
            self.of[label] = name
            self._labels[_fold(name)] = label
        self._ignored = {_fold(name) for name in schema.ignored} - {""}

    def label(self, name: str) -> str | None:
        """The class of that name; None where there is none."""
        return self._labels.get(_fold(name))

    def unknown(self, name: str, shown: str) -> Fault:
        """What is wrong with a name that is no class's; ``shown`` is what it was said of."""
        kind = "class ignored by the schema" if _fold(name) in self._ignored else "class not in the schema"
        return Fault(kind, f"{shown:.80} ({name:.80})")


def _fold(name: str) -> str:
    return "".join(_WORD.findall(name.casefold()))
