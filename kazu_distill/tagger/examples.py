"""Labelled documents as the table of windows that training reads, and batches out of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, Features, Value
from datasets import Sequence as Column
from torch import Tensor

from kazu_distill.documents import Document
from kazu_distill.tagger.labels import LabelScheme, WordTag
from kazu_distill.tagger.tagger import pad
from kazu_distill.tagger.windows import TokenizedText, Window, Windower


@dataclass(slots=True)
class Conversion:
    """How spans became labels; ``lost_spans`` could not be expressed by the label scheme."""

    spans: int = 0
    lost_spans: int = 0


_FEATURES = Features(
    {
        "input_ids": Column(Value("int32")),
        "positions": Column(Value("int32")),  # of the words' first tokens
        "tag_words": Column(Value("int32")),  # the labels, sparse: word of the window,
        "tag_ids": Column(Value("int32")),  # its tag,
        "tag_scores": Column(Value("float32")),  # and the target
        "length": Value("int32"),
    }
)


def windows_table(
    documents: Iterable[Document], *, windower: Windower, scheme: LabelScheme, cache: Path
) -> tuple[Dataset, Conversion]:
    """Documents as a memory-mapped table, a window a row, written below ``cache``; and what was counted on the way."""
    conversion = Conversion()
    shutil.rmtree(cache, ignore_errors=True)  # made anew each time, so that it cannot be stale
    table = Dataset.from_generator(
        partial(_rows, documents, windower, scheme, conversion),
        features=_FEATURES,
        cache_dir=str(cache),
        fingerprint="windows",  # else `datasets` would pickle the documents to make one
    )
    return table, conversion


def _rows(
    documents: Iterable[Document], windower: Windower, scheme: LabelScheme, conversion: Conversion
) -> Iterator[dict[str, Any]]:
    for document in documents:
        for section in document.sections:
            text = windower.tokenize([section.text])[0]
            tags, lost = scheme.tag(section.spans, text.words)
            conversion.spans += len(section.spans)
            conversion.lost_spans += lost
            for window in windower.windows(text):
                yield _row(windower, text, window, tags)


def _row(windower: Windower, text: TokenizedText, window: Window, tags: Sequence[WordTag]) -> dict[str, Any]:
    own = [tag for tag in tags if window.first_word <= tag.word < window.last_word]
    input_ids = windower.input_ids(text, window)
    return {
        "input_ids": input_ids,
        "positions": windower.positions(text, window),
        "tag_words": [tag.word - window.first_word for tag in own],
        "tag_ids": [tag.tag for tag in own],
        "tag_scores": [tag.score for tag in own],
        "length": len(input_ids),
    }


class Collator:
    """Rows of the table as a padded batch: input ids, attention mask, targets and weights."""

    def __init__(self, *, padding: int, tags: int, device: torch.device, longest: int) -> None:
        self._padding = padding
        self._tags = tags
        self._device = device
        self._longest = longest

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """A batch.

        Returns:
            ``input_ids`` and ``attention_mask``: ``(batch, tokens)``; ``targets``: ``(batch, tokens, tags)`` in
            [0, 1]; ``weights``: ``(batch, tokens)``, 1 for words' first tokens.
        """
        input_ids, attention_mask = pad(
            [row["input_ids"] for row in rows], padding=self._padding, device=self._device, longest=self._longest
        )
        targets = torch.zeros((*input_ids.shape, self._tags))
        weights = torch.zeros(input_ids.shape)
        for index, row in enumerate(rows):
            positions = torch.tensor(row["positions"], dtype=torch.long)
            weights[index, positions] = 1.0
            words = torch.tensor(row["tag_words"], dtype=torch.long)
            targets[index, positions[words], torch.tensor(row["tag_ids"], dtype=torch.long)] = torch.tensor(
                row["tag_scores"], dtype=torch.float32
            )
        return {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "targets": targets,
            "weights": weights,
        }
