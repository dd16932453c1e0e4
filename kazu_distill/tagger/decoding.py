"""Tag probabilities of the words of many texts as spans over their characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.tagger.labels import LabelScheme


def decode(
    probabilities: Sequence[NDArray[np.float32]],
    words: Sequence[NDArray[np.int32]],
    *,
    scheme: LabelScheme,
    thresholds: NDArray[np.float32],
    source: str = "",
) -> list[tuple[Span, ...]]:
    """The spans of each text, in the order of their places.

    A word is in a span of a class if that is more probable than the class's threshold; it begins one if the word before
    is in none, or if the scheme says so. A span's score is the mean of its words' probabilities.

    Args:
        probabilities: for each text ``(words, tags)``.
        words: for each text ``(words, 2)``, start and end of each word.
        scheme: what the tags mean.
        thresholds: ``(classes,)``, 0 to 1.
        source: who the spans are said to come from.
    """
    if not words:
        return []
    # All texts are decoded as one, with a border before the first word of each.
    places = np.concatenate(words)
    text_of_word = np.repeat(np.arange(len(words)), [len(each) for each in words])
    member = scheme.membership(np.concatenate(probabilities))
    inside = member.probability > thresholds
    continues = np.zeros_like(inside)
    continues[1:] = inside[1:] & inside[:-1] & ~member.begins[1:] & (text_of_word[1:] == text_of_word[:-1])[:, None]
    goes_on = np.zeros_like(inside)
    goes_on[:-1] = continues[1:]
    # Transposed, so that both lists go class by class and the first word of a span stands with its last.
    labels, firsts = np.nonzero((inside & ~continues).T)
    _, lasts = np.nonzero((inside & ~goes_on).T)
    sums = np.zeros((len(places) + 1, len(scheme.labels)))
    np.cumsum(member.probability, axis=0, out=sums[1:])
    scores = np.minimum((sums[lasts + 1, labels] - sums[firsts, labels]) / (lasts + 1 - firsts), 1.0)
    spans: list[list[Span]] = [[] for _ in words]
    order = np.lexsort((labels, -places[lasts, 1], places[firsts, 0], text_of_word[firsts]))
    for text, start, end, label, score in zip(
        text_of_word[firsts][order].tolist(),
        places[firsts, 0][order].tolist(),
        places[lasts, 1][order].tolist(),
        labels[order].tolist(),
        scores[order].tolist(),
        strict=True,
    ):
        spans[text].append(Span(start, end, scheme.labels[label], score, source))
    return [tuple(own) for own in spans]
