"""What is wrong with the mentions of an LLM's answer: the five kinds of instruct-ner, each mention in exactly one.

instruct-ner (poteminr/instruct-ner, ``error_analysis``) counts strings, asks of each whether it is in a list, which
loses repeats, and counts some mentions as several errors and others as none. Here a mention that is listed twice counts
twice, and every mention, right or wrong, has one kind. A predicted and a gold mention that are paired are one error.

On strings and on offsets the kinds mean the same, but for what strings cannot tell: which place is meant. Edges are no
kind of theirs: a mention that is longer than the gold one is over-predicted, and the gold one not recognised;
``mistakes`` tells such cases apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from kazu_distill.documents import Section


class AnswerError(StrEnum):
    """What a mention is; all but the first are errors."""

    CORRECT = "correct"
    MISTAKEN = "mistaken class"  # the mention is there, and of another class
    NOT_RECOGNISED = "not recognised"  # a gold mention that is not predicted
    MISSPELT = "misspelt"  # predicted, and not in the text
    OVER_PREDICTED = "over-predicted"  # predicted, in the text, and no entity
    CONFLICTING = "conflicting"  # predicted more or less often than there are places for it, or at the wrong one


@dataclass(frozen=True, slots=True)
class Verdict:
    """A kind, the mention that it is said of, and its gold and predicted class; None where one side has it not."""

    kind: AnswerError
    mention: str
    gold: str | None
    predicted: str | None


Listed: TypeAlias = tuple[str, str]
"""A mention and its class."""


def on_strings(text: str, gold: Sequence[Listed], predicted: Sequence[Listed]) -> list[Verdict]:
    """Judge the mentions of one text by what they say, wherever they stand.

    - A mention that does not stand in the text is misspelt.
    - As often as both sides list a mention with a class, it is correct.
    - Of the rest, a predicted and a gold one that are the same string have a mistaken class.
    - If a string is predicted more often than it stands in the text, what is then left of it is conflicting, up to
      that number: its predictions cannot all be true.
    - What is left of predictions is over-predicted.
    - Of a string that is predicted, but less often than it stands in the text, what is left of gold is conflicting:
      the answer does not say which of the places it means. The rest of gold is not recognised.
    """
    classes: dict[str, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for side, listed in enumerate((gold, predicted)):
        for mention, label in listed:
            classes[mention][side][label] += 1
    verdicts: list[Verdict] = []
    for mention, (wanted, said) in classes.items():
        places, times = _places(text, mention), said.total()
        if not places:
            verdicts += [Verdict(AnswerError.MISSPELT, mention, None, label) for label in _each(said)]
            said = Counter()
        same = wanted & said
        verdicts += [Verdict(AnswerError.CORRECT, mention, label, label) for label in _each(same)]
        missing, surplus = _each(wanted - same), _each(said - same)
        paired = min(len(missing), len(surplus))
        verdicts += [Verdict(AnswerError.MISTAKEN, mention, *pair) for pair in zip(missing, surplus, strict=False)]
        too_many = max(0, min(times - places, len(surplus) - paired))
        for number, label in enumerate(surplus[paired:]):
            kind = AnswerError.CONFLICTING if number < too_many else AnswerError.OVER_PREDICTED
            verdicts.append(Verdict(kind, mention, None, label))
        kind = AnswerError.CONFLICTING if 0 < times < places else AnswerError.NOT_RECOGNISED
        verdicts += [Verdict(kind, mention, label, None) for label in missing[paired:]]
    return verdicts


def on_offsets(
    gold: Section, predicted: Section, *, misspelt: Iterable[Listed] = (), surplus: Iterable[Listed] = ()
) -> list[Verdict]:
    """Judge the spans of one section, and the mentions that got no place in it.

    - Spans with the same edges and class are correct.
    - Of the rest, a predicted and a gold one with the same edges have a mistaken class.
    - Of the rest, a predicted and a gold one of the same string and class are conflicting: it stands in the text
      several times, and the wrong one was taken.
    - Of the rest, a predicted span whose edges another predicted one has too is conflicting; others are over-predicted.
    - What is left of gold is not recognised.

    Args:
        gold: the section with gold spans.
        predicted: the same section with predicted ones.
        misspelt: predicted mentions that the text does not have.
        surplus: predicted mentions for which there was no place left; they are conflicting.
    """
    wanted, found = ({span.place for span in section.spans} for section in (gold, predicted))
    said_at = Counter((start, end) for start, end, _ in found)
    verdicts = [Verdict(AnswerError.MISSPELT, mention, None, label) for mention, label in misspelt]
    verdicts += [Verdict(AnswerError.CONFLICTING, mention, None, label) for mention, label in surplus]
    text = gold.text
    verdicts += [
        Verdict(AnswerError.CORRECT, text[start:end], label, label) for start, end, label in sorted(wanted & found)
    ]
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    for (start, end, own), (*_, its) in _paired(missing, extra, lambda place: place[:2]):
        verdicts.append(Verdict(AnswerError.MISTAKEN, text[start:end], own, its))
    for (start, end, label), _ in _paired(missing, extra, lambda place: (text[place[0] : place[1]], place[2])):
        verdicts.append(Verdict(AnswerError.CONFLICTING, text[start:end], label, label))
    for start, end, label in extra:
        kind = AnswerError.CONFLICTING if said_at[start, end] > 1 else AnswerError.OVER_PREDICTED
        verdicts.append(Verdict(kind, text[start:end], None, label))
    verdicts += [Verdict(AnswerError.NOT_RECOGNISED, text[start:end], label, None) for start, end, label in missing]
    return verdicts


@dataclass(slots=True)
class AnswerErrors:
    """How often each kind was found, by class (of the gold mention, where there is one), with a few of each."""

    by_class: dict[str, Counter[AnswerError]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[AnswerError, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, document: str, verdicts: Iterable[Verdict]) -> None:
        """Count verdicts about a document."""
        for verdict in verdicts:
            self.by_class[verdict.gold or verdict.predicted or ""][verdict.kind] += 1
            own = self.examples[verdict.kind]
            if verdict.kind is not AnswerError.CORRECT and len(own) < _EXAMPLES:
                own.append({"document": document, "mention": verdict.mention, "gold": verdict.gold,
                            "predicted": verdict.predicted})  # fmt: skip

    def of_kind(self, kind: AnswerError) -> int:
        """How many there are of a kind, over all classes."""
        return sum(own[kind] for own in self.by_class.values())

    def as_json(self) -> dict[str, Any]:
        """The counts, overall and by class, and the examples."""
        return {
            "kinds": {kind.value: self.of_kind(kind) for kind in AnswerError},
            "by_class": {
                label: {kind.value: own[kind] for kind in AnswerError} for label, own in sorted(self.by_class.items())
            },
            "examples": {kind.value: self.examples[kind] for kind in AnswerError if self.examples.get(kind)},
        }


_EXAMPLES = 5
_Place: TypeAlias = tuple[int, int, str]


def _each(counts: Counter[str]) -> list[str]:
    return sorted(counts.elements())


def _places(text: str, mention: str) -> int:
    """How often a string stands in a text, also where it overlaps itself."""
    count, start = 0, text.find(mention) if mention else -1
    while start >= 0:
        count += 1
        start = text.find(mention, start + 1)
    return count


def _paired(
    missing: list[_Place], extra: list[_Place], key: Callable[[_Place], Hashable]
) -> list[tuple[_Place, _Place]]:
    """Gold and predicted places with the same key, each in one pair, in order; they are taken out of both lists."""
    waiting: dict[Hashable, list[_Place]] = defaultdict(list)
    for place in reversed(extra):
        waiting[key(place)].append(place)
    pairs = [(place, waiting[key(place)].pop()) for place in missing if waiting[key(place)]]
    taken = {place for pair in pairs for place in pair}
    missing[:] = [place for place in missing if place not in taken]
    extra[:] = [place for place in extra if place not in taken]
    return pairs
