"""What was read of a tuned LLM's answers, and what is wrong with them: ``report.json``."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from kazu_distill.annotation.grounding.grounder import Status
from kazu_distill.instruction.reading import ReadDocument, gold_asked_for
from kazu_distill.scoring.answer_errors import AnswerError, AnswerErrors, on_offsets, on_strings


class ReadReport:
    """Counts over documents, and their errors by the documents' own labels; memory does not grow with their number."""

    def __init__(self) -> None:
        self.documents = 0
        self.failed = 0
        self.not_asked = 0
        self.spans = 0
        self.other_targets = 0
        self.strings = AnswerErrors()
        self.offsets = AnswerErrors()
        self._failures: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._statuses: Counter[Status] = Counter()

    def add(self, read: ReadDocument) -> None:
        """Count a document; errors are those of documents whose answers could all be read."""
        self._faults.update(read.faults)
        self._failures.update(failure.kind for failure in read.failures)
        self.other_targets += read.other_targets
        if read.failures:
            self.failed += 1
            return
        self.documents += 1
        self.not_asked += not read.chunks
        self.spans += len(read.document.spans)
        self._statuses.update(read.statuses)
        for number, (section, chunks) in enumerate(gold_asked_for(read)):
            for start, end in sorted({(chunk.start, chunk.start + len(chunk.text)) for chunk in chunks}):
                listed = [
                    (mention.text, mention.label)
                    for chunk in chunks
                    if chunk.start == start
                    for mention in chunk.mentions
                ]
                places = sorted({span.place for span in section.spans if start <= span.start and span.end <= end})
                wanted = [(section.text[begin:stop], label) for begin, stop, label in places]
                self.strings.add(read.document.id, on_strings(section.text[start:end], wanted, listed))
            missing = [(mention, status) for at, mention, status in read.missing if at == number]
            verdicts = on_offsets(
                section,
                read.document.sections[number],
                misspelt=[(mention.text, mention.label) for mention, status in missing if status is Status.NOT_FOUND],
                surplus=[(mention.text, mention.label) for mention, status in missing if status is Status.SURPLUS],
            )
            self.offsets.add(read.document.id, verdicts)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "documents": self.documents,
            "failed_documents": self.failed,
            "documents_not_asked_about": self.not_asked,
            "failures": dict(self._failures.most_common()),
            "spans": self.spans,
            "grounding": {status.value: self._statuses[status] for status in Status},
            "answer_faults": dict(self._faults.most_common()),
            "predictions_with_another_target": self.other_targets,
            "errors": {"on_strings": self.strings.as_json(), "on_offsets": self.offsets.as_json()},
        }

    def failures(self) -> dict[str, int]:
        """How many answers failed, by kind."""
        return dict(self._failures.most_common())

    def faults(self) -> dict[str, int]:
        """What could not be used of answers, by kind."""
        return dict(self._faults.most_common())


def errors_table(report: ReadReport) -> Table:
    """A row for each kind, and what there are of it on strings and on offsets."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("mentions that are")
    for name in ("on strings", "on offsets"):
        table.add_column(name, justify="right")
    for kind in AnswerError:
        numbers = (report.strings.of_kind(kind), report.offsets.of_kind(kind))
        table.add_row(escape(kind.value), *(f"{number:,}" for number in numbers))
    return table
