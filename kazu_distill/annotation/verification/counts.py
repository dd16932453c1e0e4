"""What the second pass did, counted over documents."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from kazu_distill.annotation.verification.verifier import Outcome, Verified


class VerificationCounts:
    """Counts the doubtful spans by reason, outcome and class."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._of_class: dict[str, Counter[Outcome]] = defaultdict(Counter)
        self.failures: Counter[str] = Counter()

    def add(self, verified: Verified) -> None:
        """Count a document."""
        for doubt, outcome in verified.outcomes:
            self._reasons.update(doubt.reasons)
            self._outcomes[outcome] += 1
            self._of_class[doubt.span.label][outcome] += 1
        self.failures.update(kind for kind, _ in verified.failures)

    def as_mapping(self) -> dict[str, Any]:
        """The counts as JSON values; a span may be doubtful for several reasons."""
        ordered = sorted(self._of_class.items(), key=lambda item: (-item[1].total(), item[0]))
        return {
            **_with_total(self._outcomes),
            "by_reason": dict(self._reasons.most_common()),
            "per_class": {label: _with_total(outcomes) for label, outcomes in ordered},
            "failures": dict(self.failures.most_common()),
        }


def _with_total(outcomes: Counter[Outcome]) -> dict[str, int]:
    return {"doubtful": outcomes.total(), **{outcome.value: outcomes[outcome] for outcome in Outcome}}
