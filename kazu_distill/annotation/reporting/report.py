"""What an annotation run did, counted as it goes: ``report.json``."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.annotation.panel import Annotated
from kazu_distill.annotation.reporting.frequent_strings import FrequentStrings
from kazu_distill.annotation.verification.counts import VerificationCounts
from kazu_distill.excerpts import shortened

_EXAMPLES = 5
_DIFFERENT_STRINGS = 5000  # of a class; about 1 MB
_TOP = 10
_CONTESTED = 30


class AnnotationReport:
    """Counts over the documents of a run; memory does not grow with their number."""

    def __init__(self) -> None:
        self.documents = 0
        self.failed = 0
        self.left = 0
        self._without_spans = 0
        self._mentions = 0
        self._spans: Counter[str] = Counter()
        self._strings: dict[str, FrequentStrings] = defaultdict(lambda: FrequentStrings(_DIFFERENT_STRINGS))
        self._statuses: Counter[Status] = Counter()
        self._faults: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._mended: Counter[str] = Counter()
        self._verification: VerificationCounts | None = None
        self._examples: dict[str, list[str]] = defaultdict(list)

    def add(self, annotated: Annotated) -> None:
        """Count a document."""
        where = shortened(annotated.document.id)
        for fault in annotated.faults:
            self._faults[fault.kind] += 1
            self._remember(fault.kind, f"{fault.example} ({where})")
        for failure in annotated.failures:
            self._failures[failure.kind] += 1
            self._remember(failure.kind, f"{failure.message} ({where})")
        if annotated.is_left:
            self.left += 1
        elif not annotated.is_labelled:
            self.failed += 1
        else:
            self._add_labelled(annotated, where)

    def as_mapping(self) -> dict[str, Any]:
        """The report as JSON values.

        ``counts_are_lower_bounds`` is about ``top_strings`` and ``strings_with_several_classes`` alone: whether a class
        had so many different strings that the rare ones of them were not counted all the time.
        """
        strings = {label: self._strings[label].counts() for label, _ in self._spans.most_common()}
        return {
            "documents": self.documents,
            "documents_without_spans": self._without_spans,
            "failed_documents": self.failed,
            "left_documents": self.left,
            "failures": dict(self._failures.most_common()),
            "spans": self._spans.total(),
            "spans_per_class": dict(self._spans.most_common()),
            "top_strings": {label: dict(list(counts.items())[:_TOP]) for label, counts in strings.items()},
            "strings_with_several_classes": _contested(strings),
            "counts_are_lower_bounds": not all(counter.is_exact for counter in self._strings.values()),
            "mentions": self._mentions,
            "grounding": {status.value: self._statuses[status] for status in Status},
            "mended": dict(self._mended.most_common()),
            "dropped": dict(self._dropped.most_common()),
            "answer_faults": dict(self._faults.most_common()),
            "verification": self._verification and self._verification.as_mapping(),
            "examples": dict(self._examples),
        }

    def _add_labelled(self, annotated: Annotated, where: str) -> None:
        self.documents += 1
        spans = annotated.document.spans
        self._without_spans += not spans
        for section, span in spans:
            self._spans[span.label] += 1
            self._strings[span.label].add(shortened(" ".join(section.mention(span).split())))
        self._mentions += annotated.mentions
        self._statuses.update(annotated.statuses)
        for mention, status in annotated.missing:
            self._remember(status, f"{shortened(mention.text)} ({mention.label}, {where})")
        for dropped in annotated.dropped:
            self._dropped[dropped.reason] += 1
            self._remember(dropped.reason, f"{dropped.context} ({dropped.span.label}, {where})")
        for mended in annotated.mended:
            self._mended[mended.rule] += 1
            now = shortened(mended.mention)
            self._remember(mended.rule, f"{mended.context} is now ⟦{now}⟧ ({mended.span.label}, {where})")

        if annotated.verified is not None:
            self._verification = self._verification or VerificationCounts()
            self._verification.add(annotated.verified)
            for kind, message in annotated.verified.failures:
                self._remember(kind, f"{message} ({where})")

    def _remember(self, kind: str, example: str) -> None:
        if len(self._examples[str(kind)]) < _EXAMPLES:
            self._examples[str(kind)].append(example)


def _contested(strings: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The strings that several classes have, with their counts; first those that two classes have most often."""
    classes: dict[str, dict[str, int]] = defaultdict(dict)
    for label, counts in strings.items():
        for string, count in counts.items():
            if count:
                classes[string][label] = count
    several = [(string, by_class) for string, by_class in classes.items() if len(by_class) > 1]
    several.sort(key=lambda item: (-sorted(item[1].values())[-2], item[0]))
    return {string: dict(Counter(by_class).most_common()) for string, by_class in several[:_CONTESTED]}
