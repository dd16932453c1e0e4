"""Classes out of free types: types that are near each other are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from kazu_distill.errors import ConfigError, require_number
from kazu_distill.proposing.free_types import FreeType
from kazu_distill.proposing.likeness import distances

_MOST_TYPES = 10_000  # whose distances take 800 MB
_AT_ONCE = 1000  # rare types, so that memory does not grow with their number
Vectors = NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class ProposedClass:
    """Types that are taken for one class, the most frequent first."""

    types: tuple[FreeType, ...]

    @property
    def name(self) -> str:
        """The name of its most frequent type."""
        return self.types[0].name

    @property
    def spans(self) -> int:
        """The number of spans of its types."""
        return sum(each.spans for each in self.types)

    @property
    def mentions(self) -> list[tuple[str, int]]:
        """What its types were given to, as it is mostly written, with the number of spans; most frequent first."""
        counts: Counter[str] = Counter()
        written: dict[str, Counter[str]] = {}
        for each in self.types:
            for mention, count in each.mentions:
                counts[mention.casefold()] += count
                written.setdefault(mention.casefold(), Counter())[mention] += count
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [(written[folded].most_common(1)[0][0], count) for folded, count in ordered]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The proposed classes, the largest first, and types that are too rare and too far from all of them."""

    classes: tuple[ProposedClass, ...]
    left_out: tuple[FreeType, ...]


def propose(
    types: Sequence[FreeType], vectors: Vectors, *, least: int, distance: float, classes: int | None = None
) -> Proposal:
    """Propose classes for types.

    The types with enough spans are joined from the bottom up by the mean of their distances. A rarer type then goes to
    the class that is nearest to it, if that is near enough.

    Args:
        types: as ``free_types`` gives them.
        vectors: of their ``described``, ``(types, dimensions)``; None leaves the judgement to common mentions.
        least: spans that a type must have to be a class or a part of its core.
        distance: up to which types are joined, 0 to 1 (see ``distances``).
        classes: so many classes, however far that is; ``distance`` is then for the rare types alone.

    Raises:
        ConfigError: a setting is none that can be, or no type, or too many, have enough spans.
    """
    require_number("least", least, above=0, whole=True)
    require_number("distance", distance, above=0)
    if distance >= 1:
        raise ConfigError(f"distance={distance}: at 1 and more everything is one class; give less")
    if classes is not None:
        require_number("classes", classes, above=0, whole=True)
    frequent = sum(each.spans >= least for each in types)
    if not frequent:
        most = max((each.spans for each in types), default=0)
        raise ConfigError(f"least={least}: no type has so many spans, the most frequent one has {most}")
    if frequent > _MOST_TYPES:
        raise ConfigError(f"least={least}: {frequent:,} types have so many spans, which are too many; give more")
    core = range(frequent)
    numbers = _numbers(_distances(types, vectors, core), distance, classes)
    clusters = [[each for each in core if numbers[each] == number] for number in sorted(set(numbers))]
    nearest = _nearest(types, vectors, clusters, distance)
    joined = [[*cluster, *(rare for rare, own in nearest.items() if own == at)] for at, cluster in enumerate(clusters)]
    proposed = [ProposedClass(tuple(types[each] for each in cluster)) for cluster in joined]
    left_out = tuple(types[rare] for rare, own in nearest.items() if own is None)
    return Proposal(tuple(sorted(proposed, key=lambda each: (-each.spans, each.name))), left_out)


def _distances(types: Sequence[FreeType], vectors: Vectors, chosen: Sequence[int]) -> NDArray[np.float64]:
    return distances([types[each] for each in chosen], None if vectors is None else vectors[list(chosen)])


def _numbers(apart: NDArray[np.float64], distance: float, classes: int | None) -> list[int]:
    """The number of each type's cluster."""
    if len(apart) == 1:
        return [1]
    tree = linkage(squareform(apart, checks=False), method="average")
    cut = fcluster(tree, distance, "distance") if classes is None else fcluster(tree, classes, "maxclust")
    return [int(number) for number in cut]


def _nearest(
    types: Sequence[FreeType], vectors: Vectors, clusters: Sequence[Sequence[int]], distance: float
) -> dict[int, int | None]:
    """For each type that is in no cluster, the one that is nearest by the mean distance; None where that is too far."""
    core = [each for cluster in clusters for each in cluster]
    starts = np.cumsum([0, *(len(cluster) for cluster in clusters[:-1])])
    sizes = [len(cluster) for cluster in clusters]
    nearest: dict[int, int | None] = {}
    for start in range(len(core), len(types), _AT_ONCE):
        rare = range(start, min(start + _AT_ONCE, len(types)))
        apart = _distances(types, vectors, [*core, *rare])[len(core) :, : len(core)]
        means = np.add.reduceat(apart, starts, axis=1) / sizes
        for each, of_it in zip(rare, means, strict=True):
            best = int(of_it.argmin())
            nearest[each] = best if of_it[best] <= distance else None
    return nearest
