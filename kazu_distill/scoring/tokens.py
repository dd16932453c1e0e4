"""Counting words in place of entities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Section
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.tally import Tally
from kazu_distill.words import words_of


def token_tally(pairs: Sequence[Pair], labels: Sequence[str]) -> Tally:
    """Count the words of which a part is in an entity of a class; a word counts once a class, and once in each class.

    Raises:
        KeyError: a span has a class that is not in ``labels``.
    """
    classes = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(pairs), len(labels), 3))
    for number, (gold, predicted) in enumerate(pairs):
        for own, its in zip(gold.sections, predicted.sections, strict=True):
            if own.spans or its.spans:
                words = words_of(own.text)
                wanted, found = (_covered(section, words, classes) for section in (own, its))
                counts[number] += np.stack([each.sum(axis=1) for each in (wanted & found, found, wanted)], axis=1)
    return Tally(tuple(labels), counts)


def _covered(section: Section, words: NDArray[np.int32], classes: dict[str, int]) -> NDArray[np.bool_]:
    """``(classes, words)``: whether the word has a character in an entity of the class."""
    covered = np.zeros((len(classes), len(words)), dtype=bool)
    for span in section.spans:
        first = words[:, 1].searchsorted(span.start, side="right")
        last = words[:, 0].searchsorted(span.end, side="left")
        covered[classes[span.label], first:last] = True
    return covered
