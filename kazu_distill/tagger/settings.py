"""What a tagger needs to know beside its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """Windows and thresholds.

    ``max_length`` and ``stride`` count tokens. A word is in a span of a class where that is more probable than the
    class's threshold: the one of ``thresholds``, or else ``threshold``.

    Raises:
        ConfigError: a threshold is no probability.
    """

    max_length: int = 512
    stride: int = 64
    threshold: float = 0.5
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {"threshold": self.threshold} | {f"thresholds.{key}": value for key, value in self.thresholds.items()}
        for name, value in named.items():
            if not 0 < value < 1:
                raise ConfigError(f"tagger.{name}={value}: a probability between 0 and 1 is needed")

    def thresholds_of(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """The thresholds of some classes, ``(classes,)``."""
        return np.array([self.thresholds.get(label, self.threshold) for label in labels], dtype=np.float32)
