"""The figures that Kazu's own scorer would give, faults and all, to set a model beside Kazu's published table.

They are no measure of a model. A gold entity counts as found if one of its edges lies in, or touches, a predicted
entity of its class; and a section in which nothing of a class is predicted is left out for that class, with all the
gold entities that were missed there. So they are never the default.
"""

from __future__ import annotations

from collections.abc import Sequence

from kazu_distill.documents import Section
from kazu_distill.scoring.metrics import Metrics
from kazu_distill.scoring.pairs import Pair

Place = tuple[int, int]


def kazu_metrics(pairs: Sequence[Pair], labels: Sequence[str]) -> Metrics:
    """Figures under Kazu's names, as ``calculate_metrics`` of Kazu 2.4 gives them.

    ``<class>_precision``, ``<class>_recall`` and ``<class>_support`` of the classes of which something is predicted;
    and ``mean_f1``, which is 0 where a class is predicted nowhere, or nothing of it is right.
    """
    metrics: Metrics = {}
    scores: list[float] = []
    for label in labels:
        hits = wrong = missed = 0
        predicted_somewhere = False
        for gold, predicted in pairs:
            for own, its in zip(gold.sections, predicted.sections, strict=True):
                wanted, found = _places(own, label), _places(its, label)
                if found:
                    predicted_somewhere = True
                    hit = sum(any(_is_hit(place, each) for each in found) for place in wanted)
                    hits += hit
                    missed += len(wanted) - hit
                    wrong += sum(not any(_is_hit(place, each) for place in wanted) for each in found)
        if predicted_somewhere:
            precision, recall = (_share(hits, others) for others in (wrong, missed))
            metrics |= {f"{label}_precision": precision, f"{label}_recall": recall, f"{label}_support": hits + missed}
            scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    complete = len(scores) == len(labels) and all(scores)
    metrics["mean_f1"] = sum(scores) / len(scores) if complete else 0.0
    return metrics


def _is_hit(gold: Place, predicted: Place) -> bool:
    """Not the other way round: a prediction well inside a gold entity is none."""
    return gold == predicted or any(predicted[0] <= edge <= predicted[1] for edge in gold)


def _places(section: Section, label: str) -> list[Place]:
    return [(span.start, span.end) for span in section.spans if span.label == label]


def _share(hits: int, others: int) -> float:
    return hits / (hits + others) if hits else 0.0
