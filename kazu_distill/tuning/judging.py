"""How good answers are: read, grounded and scored as they would be in use."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from kazu_distill.document_files import document_line
from kazu_distill.errors import ConfigError
from kazu_distill.instruction.reading import AnswerReader
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.tuning.questions import Questions

UNREADABLE = "unreadable_documents"
_LEAST_CEILING = 0.5


class Judge:
    """Scores answers to questions about documents that have labels.

    Args:
        questions: what is asked.
        reader: reads and grounds the answers.
        labels: the classes.

    Raises:
        ConfigError: the questions ask for other classes.
    """

    def __init__(self, questions: Questions, *, reader: AnswerReader, labels: Sequence[str]) -> None:
        unknown = {label for asked in questions.asked for label in asked.names.values()} - set(labels)
        if unknown:
            raise ConfigError(
                f'schema: the records ask for "{min(unknown)}", which it has not; give the schema= that instruct was '
                "run with"
            )
        self._questions = questions
        self._reader = reader
        self._labels = labels

    def figures(self, answers: Sequence[str]) -> Metrics:
        """Strict figures of answers, one to each question, and how many documents have none that can be read."""
        read = self._questions.read(self._reader, answers)
        pairs = paired(self._questions.documents, [each.document for each in read])
        return {UNREADABLE: sum(bool(each.failures) for each in read)} | metrics_of(strict_counts(pairs, self._labels))

    def ceiling(self, right: Sequence[str]) -> float:
        """The mean F1 that the right answers reach, which is the most that can be.

        Raises:
            ConfigError: there is nothing to find, or hardly anything of it comes back.
        """
        reached = self.figures(right)["mean_f1"]
        if reached is None:
            raise ConfigError("the eval documents have no entity, so that no model could be chosen by them")
        if reached < _LEAST_CEILING:
            raise ConfigError(
                f"the right answers to the eval questions, read back, reach a mean F1 of {100 * reached:.1f} only: "
                "give the schema=, prompt= and corpus.path= that instruct was run with"
            )
        return reached

    def key(self) -> str:
        """Names what is asked, and what is right."""
        content = hashlib.sha256()
        for document in self._questions.documents:
            content.update(document_line(document))
        for record in self._questions.records:
            content.update(repr(record).encode())
        return content.hexdigest()
