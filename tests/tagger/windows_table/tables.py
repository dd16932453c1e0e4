"""Documents, a tokenizer of few pieces, and the table that is made of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.tagger.labels import LabelScheme, label_scheme
from kazu_distill.tagger.windows import Windower
from kazu_distill.tagger.windows_table.table import WindowsTable, windows_table

LABELS = ("gene", "disease")
BIO = label_scheme("bio", LABELS)
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "eg", "##fr", "causes", "gout", ".", "in", "糖"]


def windower_of(*more: str, max_length: int = 8, stride: int = 2) -> Windower:
    """A windower whose tokenizer has few pieces, so that rows can be told by hand."""
    pieces = {piece: number for number, piece in enumerate([*PIECES, *more])}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    )
    return Windower(fast, max_length=max_length, stride=stride)


def documents(number: int, *, prefix: str = "", seed: int = 1) -> list[Document]:
    """Documents of several sections, some empty, with spans anywhere."""
    chance = random.Random(seed)
    made = []
    for index in range(number):
        sections = []
        for _ in range(chance.randint(0, 3)):
            text = " ".join(chance.choices(["EGFR", "causes", "gout.", "in", "糖", "\n"], k=chance.randint(0, 40)))
            starts = [chance.randrange(len(text)) for _ in range(chance.randint(0, 8)) if text]
            spans = [
                Span(start, min(start + chance.randint(1, 9), len(text)), chance.choice(LABELS), chance.random())
                for start in starts
            ]
            sections.append(Section("", text, tuple(spans)))
        made.append(Document(f"{prefix}{index}", tuple(sections)))
    return made


def written(path: Path, made: Sequence[Document]) -> Path:
    write_documents(path, made)
    return path


def table_of(files: Path | list[Path], cache: Path, *, scheme: LabelScheme = BIO, **more: Any) -> WindowsTable:
    settings: dict[str, Any] = {"windower": windower_of(), "processes": 1} | more
    return windows_table(files if isinstance(files, list) else [files], scheme=scheme, cache=cache, **settings)


def folders(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())
