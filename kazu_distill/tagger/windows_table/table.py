"""Labelled documents as the memory-mapped table of windows that training reads, tokenized once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import regex
import tokenizers
from datasets import Dataset, concatenate_datasets

from kazu_distill.document_files import files_of
from kazu_distill.errors import CorpusError
from kazu_distill.models.threads import usable_cores
from kazu_distill.tagger.alignment import AlignmentCounts
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.windows import Windower
from kazu_distill.tagger.windows_table.processes import write_shards
from kazu_distill.tagger.windows_table.shards import Shard
from kazu_distill.tagger.windows_table.stretches import Stretch, cut
from kazu_distill.tagger.windows_table.whole_folders import whole_folder

OnProgress = Callable[[int, int], None]
"""Given the number of bytes that are done, and of all bytes."""

_FORMAT = 1  # to be raised whenever the same documents and settings give other rows
_COUNTS = "alignment.json"
_SMALLEST, _MOST = 4 << 20, 128  # bytes of a stretch at least; stretches of all files, about


@dataclass(frozen=True, slots=True)
class WindowsTable:
    """A window a row, memory-mapped; how spans became labels; and ``key``, which names what both depend on."""

    rows: Dataset
    alignment: AlignmentCounts
    key: str


def windows_table(
    files: Sequence[Path],
    *,
    windower: Windower,
    scheme: LabelScheme,
    cache: Path,
    processes: int | None = None,
    stretch_bytes: int | None = None,
    on_progress: OnProgress = lambda done, total: None,  # noqa: ARG005
) -> WindowsTable:
    """The documents of JSONL files as a table, in their order; made once, and read from ``cache`` when asked for again.

    Tables of other contents or settings in the cache are removed; on a POSIX system whoever reads one can go on.

    Args:
        files: of documents, whose ids are unique in all of them together.
        windower: cuts texts into windows.
        scheme: makes tags of spans.
        cache: a folder, which processes may share.
        processes: that tokenize, by default as many as this one may use cores; a small file takes none but this.
        stretch_bytes: what a process does at a time, about; the rows do not depend on it.
        on_progress: called when a stretch is done.

    Raises:
        CorpusError: no such file, a broken line, an unknown class or a document id that comes twice; the message
            names file, line, document and reason.
        WorkerFailed: a process was killed.
    """
    files = [file for each in files for file in files_of(each, suffix=".jsonl")]
    size = stretch_bytes or max(_SMALLEST, sum(file.stat().st_size for file in files) // _MOST)
    before = [_stamp(file) for file in files]
    cuts = [cut(file, size) for file in files]
    key = _key([digest for _, digest in cuts], windower, scheme)
    with whole_folder(cache, key) as new:
        if new is not None:
            stretches = [stretch for own, _ in cuts for stretch in own]
            jobs = [(new / f"{number:05}.arrow", stretch) for number, stretch in enumerate(stretches)]
            with closing(
                write_shards(jobs, windower=windower, scheme=scheme, processes=processes or usable_cores())
            ) as shards:
                alignment = _check(stretches, shards, on_progress)
            if [_stamp(file) for file in files] != before:
                raise CorpusError(f"{', '.join(map(str, files))}: changed while being read; start again")
            (new / _COUNTS).write_text(json.dumps(asdict(alignment)), encoding="utf-8")
    return _read(cache / key, key)


def _check(stretches: Sequence[Stretch], shards: Iterable[Shard], on_progress: OnProgress) -> AlignmentCounts:
    """The sum of the counts.

    Raises:
        CorpusError: an error of a shard, or an id that comes twice; of several the one that comes first.
    """
    seen: dict[str, tuple[Path, int]] = {}
    alignment = AlignmentCounts()
    done, total = 0, sum(stretch.end - stretch.start for stretch in stretches)
    for stretch, shard in zip(stretches, shards, strict=True):
        for identifier, line in shard.ids:
            if identifier in seen:
                file, earlier = seen[identifier]
                raise CorpusError(f'{stretch.file}:{line}: document "{identifier}" stands already at {file}:{earlier}')
            seen[identifier] = (stretch.file, line)
        if shard.error:
            raise shard.error
        alignment += shard.alignment
        done += stretch.end - stretch.start
        on_progress(done, total)
    return alignment


def _read(folder: Path, key: str) -> WindowsTable:
    counts = json.loads((folder / _COUNTS).read_text(encoding="utf-8"))
    shards = [Dataset.from_file(str(path)) for path in sorted(folder.glob("*.arrow"))]
    return WindowsTable(concatenate_datasets(shards), AlignmentCounts(**counts), key)


def _key(digests: Sequence[str], windower: Windower, scheme: LabelScheme) -> str:
    """Names everything that the rows depend on."""
    said = {
        "format": _FORMAT,
        "libraries": [tokenizers.__version__, regex.__version__],
        "files": digests,
        "windows": windower.description(),
        "tags": scheme.tags,
        "classes": scheme.labels,
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _stamp(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
