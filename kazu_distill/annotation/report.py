"""What an annotation run did, counted as it goes: ``report.json``."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from kazu_distill.annotation.annotator import Annotated
from kazu_distill.annotation.grounding import Status

_EXAMPLES = 5


class AnnotationReport:
    """Counts over the documents of a run; memory does not grow with their number."""

    def __init__(self) -> None:
        self.documents = 0
        self.failed = 0
        self._spans: Counter[str] = Counter()
        self._statuses: Counter[Status] = Counter()
        self._faults: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = defaultdict(list)

    def add(self, annotated: Annotated) -> None:
        """Count a document."""
        for fault in annotated.faults:
            self._faults[fault.kind] += 1
            self._remember(fault.kind, f"{fault.example} in {annotated.document.id}")
        for failure in annotated.failures:
            self._failures[failure.reason] += 1
            self._remember(failure.reason, f"{failure.message} ({failure.document_id})")
        if annotated.failures:
            self.failed += 1
            return
        self.documents += 1
        self._spans.update(span.label for _, span in annotated.document.spans)
        self._statuses.update(annotated.statuses)
        for mention, status in annotated.missing:
            self._remember(status, f"{mention.text} ({mention.label}) in {annotated.document.id}")
        for dropped in annotated.dropped:
            self._dropped[dropped.reason] += 1
            self._remember(dropped.reason, f"{dropped.mention} ({dropped.span.label}) in {annotated.document.id}")

    def as_mapping(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "documents": self.documents,
            "failed_documents": self.failed,
            "failures": dict(self._failures.most_common()),
            "spans": sum(self._spans.values()),
            "spans_per_class": dict(self._spans.most_common()),
            "grounding": {status.value: self._statuses[status] for status in Status},
            "dropped": dict(self._dropped.most_common()),
            "answer_faults": dict(self._faults.most_common()),
            "examples": dict(self._examples),
        }

    def _remember(self, kind: str, example: str) -> None:
        if len(self._examples[str(kind)]) < _EXAMPLES:
            self._examples[str(kind)].append(example)
