"""Merging what several voters say about a section: spans with the share of votes that they got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kazu_distill.documents import Span
from kazu_distill.errors import ConfigError

Place = tuple[int, int]
Voters = frozenset[str]
ROUNDING = 0.005  # two of three are 0.67 votes for who writes a minimum


class Votes:
    """Merges opinions, each class for itself.

    A span's score is the share of voters who gave exactly these edges and this class. Of edges that overlap, those with
    the most votes stay, of equally many the shorter: LLMs copy too much ("severe renal failure") more often than too
    little. But edges that a voter gave beside all the overlapping ones that stay are no near-miss: the voter says that
    they are two.

    Args:
        minimum: spans with a smaller share of the votes are dropped, 0 to 1; 0.67 is as good as two thirds.

    Raises:
        ConfigError: ``minimum`` is no share.
    """

    def __init__(self, *, minimum: float = 0.0) -> None:
        if not 0.0 <= minimum <= 1.0:
            raise ConfigError(f"votes.minimum={minimum}: give a share of the votes, 0 to 1")
        self._minimum = minimum

    def merge(self, opinions: Mapping[str, Sequence[Span]]) -> tuple[Span, ...]:
        """The spans of a section that its voters agree on, in order of their place.

        Args:
            opinions: each voter's spans; voters who found nothing have their vote too.

        Returns:
            Spans that a voter gave; ``source`` names all who did, as in ``"llama+mixtral"``.
        """
        voters_of: dict[str, dict[Place, set[str]]] = defaultdict(lambda: defaultdict(set))
        for voter, spans in opinions.items():
            for span in spans:
                voters_of[span.label][span.start, span.end].add(voter)
        merged = [
            Span(*place, label, len(voters) / len(opinions), "+".join(sorted(voters)))
            for label, places in voters_of.items()
            for place, voters in _resolved({place: frozenset(voters) for place, voters in places.items()})
        ]
        strong = [span for span in merged if span.score >= self._minimum - ROUNDING]
        return tuple(sorted(strong, key=lambda span: (span.start, -span.end, span.label)))


def _resolved(voters_of: Mapping[Place, Voters]) -> Iterator[tuple[Place, Voters]]:
    """The places of a class that stay, with their voters."""
    for run in _overlapping(voters_of):
        kept: list[Place] = []
        for place in sorted(run, key=lambda place: (-len(voters_of[place]), place[1] - place[0], place)):
            rivals = [voters_of[other] for other in kept if place[0] < other[1] and other[0] < place[1]]
            if voters_of[place].intersection(*rivals):
                kept.append(place)
                yield place, voters_of[place]


def _overlapping(places: Iterable[Place]) -> Iterator[list[Place]]:
    """Runs of places: one that is in no other run's reach, so that only places of a run can overlap."""
    run: list[Place] = []
    reach = 0
    for place in sorted(places):
        if run and place[0] >= reach:
            yield run
            run = []
        run.append(place)
        reach = max(reach, place[1])
    if run:
        yield run
