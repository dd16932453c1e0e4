"""Which predicted entity stands for which gold one; each is matched once, whatever the rule.

The rules are those of SemEval-2013 task 9.1 (Segura-Bedmar et al. 2013, section 4) under plainer names: strict, exact
("boundary"), partial, and type ("relaxed": class right, edges only overlapping).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from kazu_distill.scoring.entities import Entities

Rule = Literal["strict", "relaxed", "boundary", "partial"]
RULES: tuple[Rule, ...] = get_args(Rule)
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of entities, ``(pairs,)`` each: row of the gold one, row of the predicted one, and what the pair counts.

    ``credit`` is 1, but one half where the rule is "partial" and edges differ.
    """

    gold: Rows
    predicted: Rows
    credit: NDArray[np.float64]


def match(gold: Entities, predicted: Entities, rule: Rule) -> Matches:
    """The pairs under a rule.

    - strict: same section, start, end and class.
    - relaxed: same section and class, and at least one character in common; as many pairs as there can be, so that it
      is the same for gold against predicted as for predicted against gold.
    - boundary: same section, start and end, whatever the class; of entities that coincide those of one class first.
    - partial: at least one character in common, whatever the class; the pairs with the most credit.
    """
    if rule == "strict":
        return _whole(*_same(gold, predicted, of_class=True))
    if rule == "relaxed":
        return _whole(*_overlapping(gold, predicted, of_class=True))
    same = _same(gold, predicted, of_class=True)
    others = _rest(gold, predicted, same)
    same = _joined(same, others, _same(*_taken(gold, predicted, others), of_class=False))
    if rule == "boundary":
        return _whole(*same)
    # To take pairs with the same edges first costs nothing: each brings what two halves in its place would.
    others = _rest(gold, predicted, same)
    halves = _overlapping(*_taken(gold, predicted, others), of_class=False)
    credit = np.repeat([1.0, 0.5], [len(same[0]), len(halves[0])])
    return Matches(*_joined(same, others, halves), credit)


def overlaps(gold: Entities, predicted: Entities, *, of_class: bool) -> tuple[Rows, Rows]:
    """All pairs, ``(pairs,)`` rows of each side, that have a character in common, ordered by the predicted one."""
    classes = 1 + max((int(each.labels.max(initial=0)) for each in (gold, predicted)), default=0)
    width = 1 + max(int(each.ends.max(initial=0)) for each in (gold, predicted))

    def groups(entities: Entities) -> NDArray[np.int64]:
        return (entities.sections * classes + entities.labels if of_class else entities.sections) * width

    order = np.argsort(groups(gold) + gold.starts, kind="stable")
    starts = (groups(gold) + gold.starts)[order]
    ends = (groups(gold) + gold.ends)[order]
    own = groups(predicted)
    # From the first that could reach behind its start (as all the longest so far do) to the last that begins before its
    # end. Numbers of another group are smaller or larger throughout.
    behind = starts.searchsorted(own + predicted.ends, side="left")
    first = np.maximum.accumulate(ends).searchsorted(own + predicted.starts, side="right") if len(ends) else behind
    counts = np.maximum(behind - first, 0)
    rows = np.repeat(np.arange(len(predicted)), counts)
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    common = ends[places] > (own + predicted.starts)[rows]
    return order[places[common]], rows[common]


def _overlapping(gold: Entities, predicted: Entities, *, of_class: bool) -> tuple[Rows, Rows]:
    """As many pairs with a character in common as there can be."""
    wanted, found = overlaps(gold, predicted, of_class=of_class)
    if not len(wanted):
        return wanted, found
    graph = csr_array((np.ones(len(wanted), dtype=bool), (wanted, found)), shape=(len(gold), len(predicted)))
    partner = maximum_bipartite_matching(graph, perm_type="column").astype(np.int64)
    matched = np.flatnonzero(partner >= 0)
    return matched, partner[matched]


def _same(gold: Entities, predicted: Entities, *, of_class: bool) -> tuple[Rows, Rows]:
    """Pairs of the same place, and class if so asked; of those that coincide the first with the first, and so on."""
    both = [np.concatenate(each) for each in ((gold.sections, predicted.sections), (gold.starts, predicted.starts),
            (gold.ends, predicted.ends), (gold.labels, predicted.labels))]  # fmt: skip
    sections, starts, ends, labels = both
    width = 1 + int(ends.max(initial=0))
    _, places = np.unique(starts * width + ends, return_inverse=True)
    keys = sections * (1 + int(places.max(initial=0))) + places
    if of_class:
        keys = keys * (1 + int(labels.max(initial=0))) + labels
        sides = keys[: len(gold)], keys[len(gold) :]
    else:
        most = 1 + max(len(gold), len(predicted))
        _, keys = np.unique(keys, return_inverse=True)
        sides = tuple(each * most + _number_among_equals(each) for each in (keys[: len(gold)], keys[len(gold) :]))
    _, wanted, found = np.intersect1d(*sides, assume_unique=True, return_indices=True)
    return wanted, found


def _number_among_equals(keys: Rows) -> Rows:
    """For each key how many equal ones stand before it; equal ones must stand together."""
    begins = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    return np.arange(len(keys)) - np.repeat(begins, np.diff(begins, append=len(keys)))


def _rest(gold: Entities, predicted: Entities, pairs: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    """The rows of each side that are in no pair."""
    left = [np.ones(len(side), dtype=bool) for side in (gold, predicted)]
    for free, own in zip(left, pairs, strict=True):
        free[own] = False
    return np.flatnonzero(left[0]), np.flatnonzero(left[1])


def _taken(gold: Entities, predicted: Entities, rows: tuple[Rows, Rows]) -> tuple[Entities, Entities]:
    return gold.rows(rows[0]), predicted.rows(rows[1])


def _joined(pairs: tuple[Rows, Rows], rows: tuple[Rows, Rows], others: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
    """Pairs, and other ones whose numbers are places in ``rows``."""
    return np.concatenate([pairs[0], rows[0][others[0]]]), np.concatenate([pairs[1], rows[1][others[1]]])


def _whole(gold: Rows, predicted: Rows) -> Matches:
    return Matches(gold, predicted, np.ones(len(gold)))
