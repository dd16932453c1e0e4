"""Which classes a text is asked about, when each is asked about by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from random import Random
from typing import Literal, get_args

from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number

By = Literal["frequency", "uniform", "none", "all"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Negatives:
    """Chooses classes that a text has not, so that a model learns to answer "none".

    Args:
        by: ``frequency``: a class as likely as its share of all spans; ``uniform``: each as likely; ``none``: no class;
            ``all``: every class. UniversalNER (Zhou et al. 2024, "negative sampling") finds frequency better than
            uniform, and uniform better than none.
        ratio: how many for each class that the text has.
        at_least: how many for any text, also one without entities.
        counts: spans of each class in all the documents, for ``frequency``.

    Raises:
        ConfigError: ``by`` is none of these, or a number is negative.
    """

    by: By = "frequency"
    ratio: float = 1.0
    at_least: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise ConfigError(f"negatives.by={self.by}: choose one of {', '.join(get_args(By))}")
        require_number("negatives.ratio", self.ratio)
        require_number("negatives.at_least", self.at_least, whole=True)
        if self.ratio < 0 or self.at_least < 0:
            raise ConfigError(
                f"negatives.ratio={self.ratio}, negatives.at_least={self.at_least}: neither can be below 0"
            )

    def chosen(self, labels: Sequence[str], present: Iterable[str], chance: Random) -> list[str]:
        """The classes to ask about, in the order of ``labels``: those that are present, and the negatives.

        Args:
            labels: all classes.
            present: those that the text has.
            chance: seeded by the text.
        """
        wanted = set(present)
        absent = [label for label in labels if label not in wanted]
        number = max(self.at_least, round(self.ratio * len(wanted)))
        match self.by:
            case "all":
                wanted |= set(absent)
            case "uniform":
                wanted |= set(chance.sample(absent, min(number, len(absent))))
            case "frequency":
                wanted |= set(_weighted(absent, [self.counts.get(label, 0) for label in absent], number, chance))
        return [label for label in labels if label in wanted]


def spans_by_class(documents: Iterable[Document]) -> Counter[str]:
    """How often each class occurs in documents."""
    counts: Counter[str] = Counter()
    for document in documents:
        for section in document.sections:
            counts.update(span.label for span in section.spans)
    return counts


def _weighted(labels: Sequence[str], weights: Sequence[int], number: int, chance: Random) -> list[str]:
    """So many different labels, drawn in proportion to their weights (Efraimidis, Spirakis 2006); none of weight 0."""
    keyed = [
        (log(1 - chance.random()) / weight, label) for label, weight in zip(labels, weights, strict=True) if weight
    ]
    return [label for _, label in sorted(keyed, reverse=True)[:number]]
