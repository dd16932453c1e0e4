"""Records as tokens: what a model is asked with, and what it learns to answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kazu_distill.base_llm.chat import ChatForm
from kazu_distill.tuning.records import ChatRecord

Tokens = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Row:
    """A record's tokens: exactly those of asking, which are not learnt, and those of the answer with its end."""

    prompt: Tokens
    answer: Tokens

    def __len__(self) -> int:
        """Tokens of question and answer together."""
        return len(self.prompt) + len(self.answer)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that are learnt, and the lengths of those that are left out because they are too long."""

    kept: list[Row]
    too_long: list[int]

    @property
    def tokens(self) -> int:
        """Of all rows."""
        return sum(map(len, self.kept))

    @property
    def learnt(self) -> int:
        """Tokens of all answers."""
        return sum(len(row.answer) for row in self.kept)

    def digest(self) -> str:
        """Names their contents."""
        content = hashlib.sha256()
        for row in self.kept:
            content.update(np.array([len(row.prompt), len(row.answer)]).tobytes())
            content.update(row.prompt.tobytes() + row.answer.tobytes())
        return content.hexdigest()


def row_of(record: ChatRecord, form: ChatForm) -> Row:
    """A record as tokens."""
    return Row(
        np.array(form.prompt(record.request), dtype=np.int32), np.array(form.answer(record.answer), dtype=np.int32)
    )


def rows_of(records: Iterable[ChatRecord], form: ChatForm, *, longest: float) -> Rows:
    """Records as tokens, but for those that are longer than ``longest`` tokens."""
    kept: list[Row] = []
    too_long: list[int] = []
    for record in records:
        row = row_of(record, form)
        if len(row) > longest:
            too_long.append(len(row))
        else:
            kept.append(row)
    return Rows(kept, too_long)
