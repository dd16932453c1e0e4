"""What is wrong with labels whatever gold says: mentions that are not in the text, and strings with several classes.

Both are said of strings and not of entities, so that each entity still has exactly one kind of mistake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kazu_distill.documents import NOT_IN_TEXT, Document
from kazu_distill.scoring.pairs import Pair


@dataclass(frozen=True, slots=True)
class Conflict:
    """A string that is predicted with several classes in one document, case aside.

    Args:
        document: its id.
        mention: the string as it stands where it comes first.
        classes: how many entities of each class.
        in_gold: whether gold has the string with each of these classes in that document, too.
    """

    document: str
    mention: str
    classes: Mapping[str, int]
    in_gold: bool

    def as_json(self) -> dict[str, Any]:
        """A line of ``errors.jsonl``."""
        return {
            "document": self.document, "kind": "conflicting", "text": self.mention, "classes": dict(self.classes),
            "in_gold": self.in_gold,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class NotInText:
    """A mention that an LLM listed and that does not stand in the text."""

    document: str
    mention: str
    label: str
    voter: str

    def as_json(self) -> dict[str, Any]:
        """A line of ``errors.jsonl``."""
        return {
            "document": self.document, "kind": "not in the text", "text": self.mention, "label": self.label,
            "voter": self.voter,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelFaults:
    """What is wrong with labels by themselves.

    Args:
        conflicts: strings with several classes.
        not_in_text: how many mentions of each class were not in the text, as far as the documents say.
        documents_not_in_text: how many documents say so.
        examples: such mentions: a document keeps a few dozen of them.
    """

    conflicts: Sequence[Conflict]
    not_in_text: Counter[str]
    documents_not_in_text: int
    examples: Sequence[NotInText]

    def as_json(self) -> dict[str, Any]:
        """Counts, under ``label_faults``."""
        return {
            "label_faults": {
                "not in the text": {
                    "mentions": self.not_in_text.total(),
                    "documents": self.documents_not_in_text,
                    "per_class": dict(self.not_in_text.most_common()),
                },
                "conflicting": {
                    "strings": len(self.conflicts),
                    "entities": sum(sum(each.classes.values()) for each in self.conflicts),
                    "documents": len({each.document for each in self.conflicts}),
                    "in_gold": sum(each.in_gold for each in self.conflicts),
                    "per_classes": [
                        {"classes": list(classes), "strings": len(own)}
                        for classes, own in by_classes(self.conflicts).items()
                    ],
                },
            }
        }

    def sentence(self) -> str:
        """The counts in a line; empty if there are none."""
        said = []
        if self.conflicts:
            in_gold = sum(each.in_gold for each in self.conflicts)
            said.append(f"conflicting strings {len(self.conflicts):,} ({in_gold:,} of them so in gold)")
        if self.not_in_text:
            said.append(f"mentions not in the text {self.not_in_text.total():,}")
        return ", ".join(said)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of ``errors.jsonl``."""
        return [*(each.as_json() for each in self.conflicts), *(each.as_json() for each in self.examples)]


def label_faults(pairs: Iterable[Pair]) -> LabelFaults:
    """The faults of predicted labels."""
    conflicts: list[Conflict] = []
    counts: Counter[str] = Counter()
    examples: list[NotInText] = []
    documents = 0
    for gold, predicted in pairs:
        conflicts += _conflicts(gold, predicted)
        missing = _not_in_text(predicted)
        counts.update(missing[0])
        examples += missing[1]
        documents += bool(missing[0])
    return LabelFaults(conflicts, counts, documents, examples)


def by_classes(conflicts: Iterable[Conflict]) -> dict[tuple[str, ...], list[Conflict]]:
    """Conflicts of the same classes together, the most frequent first."""
    found: dict[tuple[str, ...], list[Conflict]] = {}
    for conflict in conflicts:
        found.setdefault(tuple(sorted(conflict.classes)), []).append(conflict)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def _conflicts(gold: Document, predicted: Document) -> list[Conflict]:
    entities, written = _by_string(predicted)
    several = {string: own for string, own in entities.items() if len({label for *_, label in own}) > 1}
    known = {string: {label for *_, label in own} for string, own in _by_string(gold)[0].items()} if several else {}
    return [
        Conflict(
            predicted.id,
            written[string],
            dict(Counter(label for *_, label in sorted(own)).most_common()),
            {label for *_, label in own} <= known.get(string, set()),
        )
        for string, own in several.items()
    ]


def _by_string(document: Document) -> tuple[dict[str, set[tuple[int, int, int, str]]], dict[str, str]]:
    """For each mention without case its different entities, and how it is written."""
    entities: dict[str, set[tuple[int, int, int, str]]] = {}
    written: dict[str, str] = {}
    for number, section in enumerate(document.sections):
        for span in section.spans:
            mention = section.mention(span)
            entities.setdefault(mention.casefold(), set()).add((number, *span.place))
            written.setdefault(mention.casefold(), mention)
    return entities, written


def _not_in_text(document: Document) -> tuple[dict[str, int], list[NotInText]]:
    """What ``annotate`` noted; metadata of that name that has another form is somebody else's."""
    noted = document.metadata.get(NOT_IN_TEXT)
    if not isinstance(noted, Mapping) or not isinstance(noted.get("per_class"), Mapping):
        return {}, []
    mentions = noted.get("mentions")
    return (
        {str(label): count for label, count in noted["per_class"].items() if isinstance(count, int) and count > 0},
        [
            NotInText(document.id, str(each.get("text", "")), str(each.get("label", "")), str(each.get("voter", "")))
            for each in (mentions if isinstance(mentions, list) else [])
            if isinstance(each, Mapping)
        ],
    )
