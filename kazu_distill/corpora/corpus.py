"""A corpus: the documents of a file or folder, read one after another and checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from kazu_distill.corpora.records import Reader, Record
from kazu_distill.document_files import check_labels
from kazu_distill.documents import Document, InvalidDocument
from kazu_distill.errors import ConfigError, CorpusError

_EXAMPLES = 5


class Corpus:
    """Documents that are streamed from a path by a reader; each iteration reads the files again.

    After an iteration ``skipped`` is the number of records that were left out, ``skipped_examples`` the messages of
    the first few, and ``adjusted`` counts what readers had to bend. They start anew with the next iteration.

    Args:
        reader: reads the format, such as ``kazu_distill.corpora.brat.read_brat`` with its settings bound.
        path: a file, or a folder that is searched at any depth.
        on_error: ``stop`` at the first broken record, or ``skip`` and count it.
        labels: the classes that spans may have; None allows any.

    Raises:
        ConfigError: ``on_error`` is neither.
    """

    def __init__(
        self, *, reader: Reader, path: str | Path, on_error: str = "stop", labels: Iterable[str] | None = None
    ) -> None:
        if on_error not in ("stop", "skip"):
            raise ConfigError(f"corpus.on_error is {on_error!r}: choose stop or skip")
        self.path = Path(path).expanduser()
        self.skipped = 0
        self.skipped_examples: list[str] = []
        self.adjusted: Counter[str] = Counter()
        self._reader = reader
        self._skip = on_error == "skip"
        self._labels = None if labels is None else frozenset(labels)

    def __iter__(self) -> Iterator[Document]:
        """Yield the documents in the order of the files' names and of their lines.

        Raises:
            CorpusError: there is nothing to read, or (unless such records are skipped) a record is broken, has an
                unknown class or an id that came before; the message names file, line, document and reason.
        """
        self.skipped, self.skipped_examples, self.adjusted = 0, [], Counter()
        seen: set[int] = set()  # hashes of ids: of millions of documents the ids themselves would fill the memory
        for record in self._reader(self.path):
            error = record if isinstance(record, CorpusError) else self._problem_of(record, seen)
            if isinstance(record, Record) and error is None:
                seen.add(hash(record.document.id))
                self.adjusted.update(record.adjusted)
                yield record.document
            elif self._skip:
                self.skipped += 1
                if len(self.skipped_examples) < _EXAMPLES:
                    self.skipped_examples.append(str(error))
            else:
                advice = "Mend the file, or set corpus.on_error=skip to count such documents and go on."
                raise CorpusError(f"{error}.\n{advice}") from error

    def remarks(self) -> list[str]:
        """What a user should hear about the last iteration, a sentence each: what was skipped, what was adjusted."""
        remarks = [f"{what}: {count:,}" for what, count in sorted(self.adjusted.items())]
        if self.skipped:
            remarks.append(f"documents skipped: {self.skipped:,}; the first: {self.skipped_examples[0]}")
        return remarks

    def _problem_of(self, record: Record, seen: set[int]) -> CorpusError | None:
        document = record.document
        if hash(document.id) in seen:
            # Where is looked up by reading again, which is too much for each of many that are only counted.
            told = self.skipped < _EXAMPLES
            where = f" at {self._first_place(document.id)}" if told else ""
            return CorpusError(f'{record.where}: document "{document.id}" stands already{where}')
        try:
            check_labels(document, self._labels)
        except InvalidDocument as error:
            return CorpusError(f"{record.where}: {error}")
        return None

    def _first_place(self, document_id: str) -> str:
        """Where a document stands first; reads the files again."""
        records = (record for record in self._reader(self.path) if isinstance(record, Record))
        return next(record.where for record in records if record.document.id == document_id)
