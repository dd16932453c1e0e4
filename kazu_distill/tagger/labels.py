"""Label schemes: spans of many classes as tags of words, and tag probabilities as membership of words in spans.

Every tag is a unit of its own that is decided for itself, so spans of several classes can coincide, nest or cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.tagger.alignment import WordSpan


@dataclass(frozen=True, slots=True)
class WordTags:
    """Tags that words have, in the order of the words, each array ``(tags of words,)``.

    ``words`` are indices of words, ``tags`` of tags; ``scores``, 0 to 1, say how sure each is.
    """

    words: NDArray[np.int32]
    tags: NDArray[np.int32]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Membership:
    """What tag probabilities say of words, both ``(words, classes)``.

    ``probability`` is that the word is in a span of the class, ``begins`` whether, if it is, a new span begins there.
    """

    probability: NDArray[np.float32]
    begins: NDArray[np.bool_]


class LabelScheme(Protocol):
    """How spans are written as tags.

    ``outside`` is the tag, if there is one, that a word has in so far as it has no other: its target is what the
    surest of the others leaves. With ``every_piece`` all tokens of a word are taught its tags, and the most probable
    one says each; else a word's first token speaks for it.
    """

    labels: tuple[str, ...]
    tags: list[str]
    outside: int | None
    every_piece: bool

    def tag(self, spans: Sequence[WordSpan]) -> WordTags:
        """The tags of the words of spans; those of one class do not share a word."""
        ...

    def membership(self, probabilities: NDArray[np.float32]) -> Membership:
        """What tag probabilities ``(words, tags)`` say."""
        ...


class BioScheme:
    """Two tags a class, ``B-class`` for a span's first word and ``I-class`` for its others.

    Adjacent spans of one class stay apart.
    """

    outside: int | None = None
    every_piece = False

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.tags = [f"{prefix}-{label}" for label in labels for prefix in ("B", "I")]

    def tag(self, spans: Sequence[WordSpan]) -> WordTags:
        """Tag ``2 c`` for the first word of a span of class ``c``, tag ``2 c + 1`` for the others."""
        return _word_tags(
            [
                (word, 2 * span.label + (word != span.first), span.score)
                for span in spans
                for word in range(span.first, span.last)
            ]
        )

    def membership(self, probabilities: NDArray[np.float32]) -> Membership:
        """A word is in a span as surely as the surer of its two tags says, and begins one if that is ``B``."""
        by_class = probabilities.reshape(len(probabilities), len(self.labels), 2)
        return Membership(by_class.max(axis=2), by_class[:, :, 0] > by_class[:, :, 1])


class IoScheme:
    """One tag a class and ``O`` for words outside every span, as Kazu's multi-label models have them.

    Adjacent spans of one class come back as one. Kazu gives a word every class that any of its tokens has.
    """

    every_piece = True

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.tags = [*labels, "O"]
        self.outside: int | None = len(labels)

    def tag(self, spans: Sequence[WordSpan]) -> WordTags:
        """Tag ``c`` for every word of a span of class ``c``."""
        return _word_tags([(word, span.label, span.score) for span in spans for word in range(span.first, span.last)])

    def membership(self, probabilities: NDArray[np.float32]) -> Membership:
        """A word is in a span as surely as its class's tag says; none begins right behind another."""
        inside = probabilities[:, : len(self.labels)]
        return Membership(inside, np.zeros(inside.shape, dtype=np.bool_))


_SCHEMES: dict[str, type[BioScheme] | type[IoScheme]] = {"bio": BioScheme, "io": IoScheme}


def label_scheme(name: str, labels: Sequence[str]) -> LabelScheme:
    """The scheme of a name, ``bio`` or ``io``, for some classes.

    Raises:
        ConfigError: there is no such scheme, or it cannot express a class.
    """
    if name not in _SCHEMES:
        raise ConfigError(f"labels.scheme={name}: choose {' or '.join(_SCHEMES)}")
    if name == "io" and "O" in labels:
        raise ConfigError(
            'labels.scheme=io: a class cannot be named "O", which is the unit of words outside every span'
        )
    return _SCHEMES[name](labels)


def scheme_of_tags(tags: Sequence[str]) -> LabelScheme:
    """The scheme that made a model's tags.

    Raises:
        ValueError: no scheme made them.
    """
    for scheme in (BioScheme([tag.removeprefix("B-") for tag in tags[::2]]), IoScheme(tags[:-1])):
        if scheme.tags == list(tags):
            return scheme
    raise ValueError(f"these tags are of no label scheme: {list(tags)}")


def _word_tags(entries: list[tuple[int, int, float]]) -> WordTags:
    entries.sort()
    return WordTags(
        np.array([word for word, _, _ in entries], dtype=np.int32),
        np.array([tag for _, tag, _ in entries], dtype=np.int32),
        np.array([score for _, _, score in entries], dtype=np.float32),
    )
