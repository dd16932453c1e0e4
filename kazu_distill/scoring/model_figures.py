"""How large and how fast a model is, and what a million documents cost with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MILLION = 1_000_000
_FEW_DOCUMENTS, _SHORT = 50, 2.0


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """A model, and its labelling of some documents, without what is done once such as loading it.

    Args:
        model: its folder.
        machine: what computed: runtime, device, type of numbers, threads.
        parameters: its weights; None where they are not known.
        bytes: of the files that the runtime loads.
        documents: that were labelled.
        words: in them.
        seconds: by the clock.
        cpu_seconds: of all processor cores.
        price_per_hour: of the machine in US dollars, if it is known.
    """

    model: str
    machine: str
    parameters: int | None
    bytes: int
    documents: int
    words: int
    seconds: float
    cpu_seconds: float
    price_per_hour: float | None = None

    @property
    def documents_per_second(self) -> float:
        """By the clock."""
        return self.documents / self.seconds

    @property
    def words_per_second(self) -> float:
        """By the clock."""
        return self.words / self.seconds

    @property
    def hours_per_million(self) -> float:
        """Hours that a million such documents take."""
        return MILLION / self.documents_per_second / 3600

    @property
    def cost_per_million(self) -> float | None:
        """US dollars for a million such documents; None without a price."""
        return None if self.price_per_hour is None else self.hours_per_million * self.price_per_hour

    @property
    def is_rough(self) -> bool:
        """Whether so little was labelled that chance has much to say in the speed."""
        return self.documents < _FEW_DOCUMENTS or self.seconds < _SHORT

    def as_json(self) -> dict[str, Any]:
        """All of it, as ``model.json`` has it."""
        return {
            **asdict(self),
            "documents_per_second": self.documents_per_second,
            "words_per_second": self.words_per_second,
            "hours_per_million_documents": self.hours_per_million,
            "cost_per_million_documents_usd": self.cost_per_million,
            "is_rough": self.is_rough,
        }

    def sentence(self) -> str:
        """Size and speed in a line."""
        size = f"{self.bytes / MILLION:,.1f} MB" + (
            "" if self.parameters is None else f", {self.parameters / MILLION:,.1f} million parameters"
        )
        cost = "" if self.cost_per_million is None else f" and {self.cost_per_million:,.2f} US dollars"
        rough = (
            f"; only {self.documents:,} documents in {self.seconds:.1f} s were timed: too little to rely on"
            if self.is_rough
            else ""
        )
        return (
            f"{size}; {self.documents_per_second:,.1f} documents a second ({self.words_per_second:,.0f} words, "
            f"{self.cpu_seconds / self.documents:.3f} CPU seconds a document) on {self.machine}; a million such "
            f"documents take {self.hours_per_million:,.1f} hours{cost}{rough}"
        )


def figures_from_json(values: dict[str, Any]) -> ModelFigures:
    """What ``as_json`` wrote.

    Raises:
        KeyError: something is missing.
    """
    return ModelFigures(**{name: values[name] for name in ModelFigures.__dataclass_fields__})
