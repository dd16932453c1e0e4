"""Documents of a wanted length, made of real text one after another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section


def write_texts(path: Path, source: Path, *, documents: int, words: int) -> Path:
    """Write unlabelled documents of so many words, a section each, and give the file back.

    Args:
        path: the file to write.
        source: documents of ours; their text is taken in order, and from the beginning again when it is used up.
        documents: how many to write.
        words: the length of each, counted between white space.
    """
    stream = words_of(source)
    write_documents(
        path,
        (Document(str(number), (Section("", " ".join(islice(stream, words))),)) for number in range(documents)),
    )
    return path


def words_of(source: Path) -> Iterator[str]:
    """The words of the documents of a file, without end."""
    once = [word for document in read_documents(source) for each in document.sections for word in each.text.split()]
    return chain.from_iterable(repeat(once))
