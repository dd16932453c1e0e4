"""The free types of labelled documents, with what was called so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kazu_distill.annotation.grounding.inflection import stem
from kazu_distill.documents import Document
from kazu_distill.schema import fold_type


@dataclass(frozen=True, slots=True)
class FreeType:
    """A type under all its spellings, with the number of spans of each, and the mentions that have it, as written.

    Both are in order of their number, the most frequent first.
    """

    spellings: tuple[tuple[str, int], ...]
    mentions: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """The most frequent spelling."""
        return self.spellings[0][0]

    @property
    def spans(self) -> int:
        """The number of spans."""
        return sum(count for _, count in self.spellings)


def free_types(documents: Iterable[Document]) -> list[FreeType]:
    """The types of the documents' spans, the most frequent first.

    Names that differ in case, hyphens, spaces, underscores or the ending of a plural are one type.
    """
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    mentions: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for section, span in document.spans:
            key = _key(span.label)
            spellings[key][span.label] += 1
            mentions[key][" ".join(section.mention(span).split())] += 1
    types = [FreeType(_in_order(spellings[key]), _in_order(mentions[key])) for key in spellings]
    return sorted(types, key=lambda each: (-each.spans, each.name))


def _in_order(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _key(label: str) -> str:
    *before, last = fold_type(label.replace("-", " ")).split() or [""]
    return " ".join((*before, stem(last)))
