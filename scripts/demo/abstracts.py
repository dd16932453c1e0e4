"""The invented abstracts: ``abstracts.txt``, with the entities marked inline as ``[[mention|class]]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CLASSES = (
    "gene or gene product",
    "disease, disorder, phenotype or trait",
    "drug",
    "chemical",
    "species",
    "cell type",
    "anatomical part or tissue",
    "mutation",
    "method",
    "organization",
)
MARK = re.compile(r"\[\[([^\[\]|]+)\|([^\[\]|]+)\]\]")

Item = dict[str, str]


@dataclass(frozen=True)
class Document:
    """One abstract: its plain text and its gold entities as (start, end, label)."""

    id: str
    text: str
    entities: tuple[tuple[int, int, str], ...]

    def items(self) -> list[Item]:
        """The mentions in order of appearance, as a flawless answer lists them."""
        return [{"entity_match": self.text[s:e], "entity_class": label} for s, e, label in self.entities]


def parse_abstract(doc_id: str, marked: str) -> Document:
    """Strip the inline marks from one abstract and keep where they stood."""
    parts: list[str] = []
    entities: list[tuple[int, int, str]] = []
    length = last = 0
    for match in MARK.finditer(marked):
        mention, label = match.groups()
        if label not in CLASSES:
            raise ValueError(f"{doc_id}: unknown class {label!r}")
        before = marked[last : match.start()]
        start = length + len(before)
        length = start + len(mention)
        entities.append((start, length, label))
        parts += [before, mention]
        last = match.end()
    text = "".join([*parts, marked[last:]])
    if "[[" in text or "]]" in text:
        raise ValueError(f"{doc_id}: a mark that could not be read")
    return Document(doc_id, text, tuple(entities))


def read_abstracts(path: Path) -> list[Document]:
    """Read ``# id`` / abstract / empty line blocks."""
    docs: list[Document] = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        head, marked = block.split("\n")
        docs.append(parse_abstract(head.removeprefix("# ").strip(), marked))
    return docs
