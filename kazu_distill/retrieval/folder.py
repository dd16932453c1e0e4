"""Background out of a folder of texts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from kazu_distill.document_files import files_of
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, CorpusError, require_number
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.budget import within
from kazu_distill.retrieval.index import Index, best_first
from kazu_distill.retrieval.leaks import HeldOut, Leak, LeakGuard
from kazu_distill.retrieval.pieces import Chunker, Pieces, Whole
from kazu_distill.shingles import folded

_SUFFIXES = (".txt", ".md")


class FolderKnowledge:
    """Finds passages for texts in ``*.txt`` and ``*.md`` files, never one that the text's own document has.

    The folder is read, and indexed, by ``prepare`` or with the first text.

    Args:
        path: the folder, searched at any depth, or a file.
        index: what says how alike texts are.
        chunks: cuts the files into passages, at the ends of paragraphs where it can.
        k: the most passages for a text.
        above: a passage whose score is not higher is not shown; None shows any.
        max_tokens: the most that they may take together, as estimated; one that does not fit is left out whole.
        not_from: documents that the run will be measured on, as JSONL; what has their text is not shown.
        cache: the folder in which the index is kept.

    Raises:
        ConfigError: a number is none, or not one that can be.
    """

    def __init__(
        self,
        *,
        path: str | Path,
        index: Index,
        chunks: Chunker,
        k: int = 2,
        above: float | None = None,
        max_tokens: int = 1000,
        not_from: Sequence[str] = (),
        cache: str | Path,
    ) -> None:
        require_number("knowledge.k", k, above=0, whole=True)
        require_number("knowledge.max_tokens", max_tokens, above=0, whole=True)
        self._path = Path(path).expanduser()
        self._index = index
        self._chunker = chunks
        self._k = k
        self._above = above
        self._max_tokens = max_tokens
        self._not_from = [not_from] if isinstance(not_from, str) else list(not_from)
        self._cache = Path(cache).expanduser()
        self._counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._preparing = threading.Lock()
        self._ready: tuple[Pieces, LeakGuard] | None = None

    def prepare(self) -> None:
        """Read the folder and index it.

        Raises:
            CorpusError: there is no such folder, it has no text, or a file is not UTF-8.
            ConfigError: there is nothing to be shown.
            EmbeddingError: the index needs vectors, and they cannot be made.
        """
        self._prepared()

    def passages(self, text: str, document: Document) -> tuple[str, ...]:
        """The passages for a text of a document, the best one last, next to the text; there may be none."""
        pieces, guard = self._prepared()
        question = guard.question(text, document)
        ranked = best_first(self._index.scores(text), above=self._above)
        chosen = [pieces.texts[position].strip() for position in islice(filter(question.allows, ranked), self._k)]
        fitting = within(chosen, estimate_tokens, self._max_tokens)
        with self._counting:
            self._counts.update(leak.value for leak in question.refused.values())
            self._counts.update(
                queries=1,
                shown=len(fitting),
                queries_without_passage=not fitting,
                left_out_for_length=len(chosen) - len(fitting),
            )
        return tuple(reversed(fitting))

    def figures(self) -> dict[str, Any]:
        """What was shown, what was kept out and why, and what the folder has, as JSON values."""
        pieces, _ = self._prepared()
        shown = ("queries", "shown", "queries_without_passage", "left_out_for_length", *Leak)
        return {
            **{str(key): self._counts[key] for key in shown},
            "files": len(pieces.wholes),
            "passages": len(pieces),
        }

    def remarks(self) -> list[str]:
        """What the folder has, in a line."""
        figures = self.figures()
        held_out = f"; {figures[Leak.EVALUATION]:,} left out for knowledge.not_from" if figures[Leak.EVALUATION] else ""
        return [f"knowledge: {figures['passages']:,} passages of {figures['files']:,} files{held_out}"]

    def _prepared(self) -> tuple[Pieces, LeakGuard]:
        with self._preparing:
            if self._ready is None:
                pieces = self._without_held_out(self._read())
                self._index.prepare(pieces.texts, self._cache)
                self._ready = pieces, LeakGuard(pieces)
            return self._ready

    def _read(self) -> Pieces:
        texts: dict[str, tuple[str, int]] = {}  # each only once, under what it is when folded
        wholes: list[Whole] = []
        for file in files_of(self._path, suffix=_SUFFIXES):
            text = _text_of(file)
            name = file.relative_to(self._path) if self._path.is_dir() else Path(file.name)
            wholes.append(Whole(name.with_suffix("").as_posix(), (text,)))
            for chunk in self._chunker.chunks(text):
                passage = text[chunk.start : chunk.end]
                texts.setdefault(folded([passage]), (passage, len(wholes) - 1))
        if not texts:
            raise CorpusError(f"{self._path}: the files have no text; give others, or knowledge=none")
        return Pieces([passage for passage, _ in texts.values()], [owner for _, owner in texts.values()], wholes)

    def _without_held_out(self, pieces: Pieces) -> Pieces:
        if not self._not_from:
            return pieces
        leaks = HeldOut.read(self._not_from).leaks(pieces)
        self._counts[Leak.EVALUATION] = sum(leaks)
        kept = [position for position, leak in enumerate(leaks) if not leak]
        if not kept:
            raise ConfigError(f"knowledge.path={self._path}: all of it is of the documents of knowledge.not_from")
        return pieces.only(kept)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8, or take it away") from error
