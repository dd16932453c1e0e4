"""Two predictions for the same documents, set against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kazu_distill.documents import Document, Span
from kazu_distill.excerpts import beside
from kazu_distill.scoring.intervals import Interval, paired_intervals
from kazu_distill.scoring.metrics import Metrics, less, metrics_of
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.tally import sides_of, tally

_CONTEXT = 40  # characters of text on each side of an entity


@dataclass(frozen=True, slots=True)
class Change:
    """A document in which two predictions are not equally right: for each, entities right, wrong and missed."""

    document: str
    first: tuple[int, int, int]
    second: tuple[int, int, int]

    @property
    def gain(self) -> int:
        """By how many errors the second has fewer."""
        return sum(self.first[1:]) - sum(self.second[1:])


@dataclass(frozen=True, slots=True)
class Difference:
    """An entity that one of two predictions has and the other has not, with the text around it.

    Args:
        span: the entity.
        right: whether gold has it.
        of_second: whether it is the second that has it.
        before: text before it, with an ellipsis where it is cut off.
        mention: its own text.
        after: text behind it, likewise.
    """

    span: Span
    right: bool
    of_second: bool
    before: str
    mention: str
    after: str

    @property
    def says(self) -> str:
        """What became of it from the first to the second."""
        if self.right:
            return "now found" if self.of_second else "no longer found"
        return "new error" if self.of_second else "error gone"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Strict figures of two predictions, 95 % intervals of the second's less the first's, and where they differ."""

    labels: tuple[str, ...]
    first: Metrics
    second: Metrics
    intervals: Mapping[str, Interval]
    changes: tuple[Change, ...]

    def better(self) -> list[Change]:
        """The documents in which the second has fewer errors, most improved first."""
        return [change for change in self.changes if change.gain > 0]

    def worse(self) -> list[Change]:
        """The documents in which the second has more errors, most worsened first."""
        return [change for change in reversed(self.changes) if change.gain < 0]

    def difference(self, name: str) -> float | None:
        """A figure of the second less that of the first; None where one of them has no meaning."""
        return less(self.second[name], self.first[name])

    def is_sure(self, name: str) -> bool:
        """Whether the interval of a figure's difference leaves out zero."""
        low, high = self.intervals[name].low, self.intervals[name].high
        return low is not None and high is not None and (low > 0 or high < 0)

    def as_json(self) -> dict[str, Any]:
        """All of it, for each figure a mapping."""
        return {
            "figures": {
                name: {"first": self.first[name], "second": self.second[name], **asdict(interval)}
                for name, interval in self.intervals.items()
            },
            "changes": [asdict(change) for change in self.changes],
        }


def compare(
    first: Sequence[Pair], second: Sequence[Pair], labels: Sequence[str], *, seed: int, resamples: int
) -> Comparison:
    """Set two predictions for the same gold documents against each other.

    Changes come in the order of how much better (or worse) the second is: errors less those of the first, worst last.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
        ValueError: gold differs.
    """
    if [pair[0].id for pair in first] != [pair[0].id for pair in second]:
        raise ValueError("two predictions for the same gold documents are needed, in the same order")
    tallies = [tally(sides_of(pairs, labels), "strict") for pairs in (first, second)]
    return Comparison(
        labels=tallies[0].labels,
        first=metrics_of(tallies[0].total()),
        second=metrics_of(tallies[1].total()),
        intervals=paired_intervals(*tallies, seed=seed, resamples=resamples),
        changes=tuple(sorted(_changes(first, second), key=lambda change: change.gain, reverse=True)),
    )


def differences(gold: Document, first: Document, second: Document) -> list[Difference]:
    """The entities in which two predictions for a document differ, in the order of their places."""
    found: list[Difference] = []
    for own, one, other in zip(gold.sections, first.sections, second.sections, strict=True):
        wanted, *both = ({span.place: span for span in section.spans} for section in (own, one, other))
        apart = sorted(both[0].keys() ^ both[1].keys())
        for place in apart:
            start, end, _ = place
            before, after = beside(own.text, start, end, around=_CONTEXT)
            found.append(
                Difference(
                    span=both[0].get(place) or both[1][place],
                    right=place in wanted,
                    of_second=place in both[1],
                    before=before,
                    mention=own.text[start:end],
                    after=after,
                )
            )
    return found


def _changes(first: Sequence[Pair], second: Sequence[Pair]) -> Iterator[Change]:
    for (gold, one), (_, other) in zip(first, second, strict=True):
        wanted, found, others = gold.places, one.places, other.places
        if found != others:
            yield Change(
                gold.id, *((len(wanted & own), len(own - wanted), len(wanted - own)) for own in (found, others))
            )
