"""Tag probabilities of the words of many texts as spans over their characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Span
from kazu_distill.tagger.labels import LabelScheme, Membership


@dataclass(frozen=True, slots=True)
class Stretches:
    """Words that are spans, each array ``(spans,)``, class by class: the class, the first word and the last."""

    labels: NDArray[np.int64]
    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model says of the words of some texts; the words of all texts stand in one row.

    Args:
        labels: the classes.
        texts: how many texts.
        places: ``(words, 2)``, start and end of each word in its text.
        text_of_word: ``(words,)``.
        member: how sure it is that a word is in a span of a class, and begins one.
    """

    labels: tuple[str, ...]
    texts: int
    places: NDArray[np.int32]
    text_of_word: NDArray[np.int64]
    member: Membership

    @classmethod
    def of(
        cls, probabilities: Sequence[NDArray[np.float32]], words: Sequence[NDArray[np.int32]], scheme: LabelScheme
    ) -> Self:
        """What tag probabilities say.

        Args:
            probabilities: for each text ``(words, tags)``.
            words: for each text ``(words, 2)``, start and end of each word.
            scheme: what the tags mean.
        """
        no_words = np.zeros((0, 2), dtype=np.int32)
        nothing = np.zeros((0, len(scheme.tags)), dtype=np.float32)
        return cls(
            labels=tuple(scheme.labels),
            texts=len(words),
            places=np.concatenate([no_words, *words]),
            text_of_word=np.repeat(np.arange(len(words)), [len(each) for each in words]),
            member=scheme.membership(np.concatenate([nothing, *probabilities])),
        )

    @property
    def borders(self) -> NDArray[np.intp]:
        """``(texts + 1,)``: a text's words are those from its border up to the next."""
        return self.text_of_word.searchsorted(np.arange(self.texts + 1))

    def stretches(self, thresholds: NDArray[np.float32]) -> Stretches:
        """The spans at thresholds ``(classes,)``, 0 to 1.

        A word is in a span of a class if that is more probable than the class's threshold; it begins one if the word
        before is in none, or if the scheme says so.
        """
        inside = self.member.probability > thresholds
        same_text = self.text_of_word[1:] == self.text_of_word[:-1]
        continues = np.zeros_like(inside)
        continues[1:] = inside[1:] & inside[:-1] & ~self.member.begins[1:] & same_text[:, None]
        goes_on = np.zeros_like(inside)
        goes_on[:-1] = continues[1:]
        # Transposed, so that both lists go class by class and the first word of a span stands with its last.
        labels, firsts = np.nonzero((inside & ~continues).T)
        _, lasts = np.nonzero((inside & ~goes_on).T)
        return Stretches(labels, firsts, lasts)

    def spans(self, thresholds: NDArray[np.float32], *, source: str = "") -> list[tuple[Span, ...]]:
        """The spans of each text at thresholds ``(classes,)``, in the order of their places.

        A span's score is the mean of its words' probabilities; ``source`` is who the spans are said to come from.
        """
        found = self.stretches(thresholds)
        labels, firsts, lasts = found.labels, found.firsts, found.lasts
        sums = np.zeros((len(self.places) + 1, len(self.labels)))
        np.cumsum(self.member.probability, axis=0, out=sums[1:])
        scores = np.minimum((sums[lasts + 1, labels] - sums[firsts, labels]) / (lasts + 1 - firsts), 1.0)
        texts, starts, ends = self.text_of_word[firsts], self.places[firsts, 0], self.places[lasts, 1]
        spans: list[list[Span]] = [[] for _ in range(self.texts)]
        order = np.lexsort((labels, -ends, starts, texts))
        for text, start, end, label, score in zip(
            *(each[order].tolist() for each in (texts, starts, ends, labels, scores)), strict=True
        ):
            spans[text].append(Span(start, end, self.labels[label], score, source))
        return [tuple(own) for own in spans]
