"""The trained tagger: documents in, documents with scored spans out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModelForTokenClassification

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError
from kazu_distill.schema import Schema
from kazu_distill.tagger.device import Precision, autocast, resolve_device, resolve_precision
from kazu_distill.tagger.encoder import load_tokenizer
from kazu_distill.tagger.labels import LabelScheme
from kazu_distill.tagger.quiet import quieten_libraries
from kazu_distill.tagger.windows import TokenizedText, Window, Windower, stitch

_SETTINGS, _SCHEMA = "tagger.json", "schema.json"
_BLOCK = 256  # documents that are sorted by length together


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """What a tagger needs beside its weights.

    ``max_length`` and ``stride`` count tokens; a tag is taken where its probability is above ``threshold``.
    """

    max_length: int = 512
    stride: int = 64
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"tagger.threshold={self.threshold}: a probability between 0 and 1 is needed")


class Tagger:
    """A token-classification model with its tokenizer, schema and settings.

    Args:
        model: a ``transformers`` token-classification model with one unit a tag.
        tokenizer: its fast tokenizer.
        schema: the classes that the tags are made of.
        settings: windows and threshold.
        device: where it runs; ``auto`` chooses.
        precision: of matrix products.
        batch_tokens: tokens, with padding, that are computed at once.

    Raises:
        ConfigError: the windows are longer than the encoder can take, or the device is not there.
    """

    def __init__(
        self,
        *,
        model: Any,
        tokenizer: Any,
        schema: Schema,
        settings: TaggerSettings,
        device: str = "auto",
        precision: Precision = "auto",
        batch_tokens: int = 8192,
    ) -> None:
        longest = _longest_input(model)
        if longest is not None and settings.max_length > longest:
            raise ConfigError(f"max_length={settings.max_length} is more than the encoder can take ({longest} tokens)")
        self.model = model
        self.tokenizer = tokenizer
        self.schema = schema
        self.settings = settings
        self.scheme = LabelScheme(schema.labels)
        self.device = resolve_device(device)
        self.windower = Windower(tokenizer, max_length=settings.max_length, stride=settings.stride)
        self._dtype = resolve_precision(precision, self.device)
        self._batch_tokens = batch_tokens

    @classmethod
    def from_pretrained(cls, folder: Path | str, **placement: Any) -> Tagger:
        """The tagger that ``save`` wrote; ``placement`` is device, precision and batch_tokens.

        Raises:
            ConfigError: the folder has no tagger.
        """
        folder = Path(folder)
        for name in (_SETTINGS, _SCHEMA):
            if not (folder / name).is_file():
                raise ConfigError(f"{folder} is not a model of kazu_distill.train: it has no {name}")
        quieten_libraries()
        try:
            model = AutoModelForTokenClassification.from_pretrained(folder, use_safetensors=True)
            tokenizer = load_tokenizer(str(folder))
            settings = TaggerSettings(**json.loads((folder / _SETTINGS).read_text(encoding="utf-8")))
            scheme = LabelScheme.from_tags([model.config.id2label[index] for index in range(model.config.num_labels)])
        except (OSError, ValueError, TypeError, SafetensorError) as error:
            problem = " ".join(str(error).split())[:300]
            raise ConfigError(f"the model in {folder} cannot be loaded: {problem}") from error
        schema = Schema.load(folder / _SCHEMA)
        if scheme.labels != schema.labels:
            raise ConfigError(f"the model in {folder} has other classes than its {_SCHEMA}: train it again")
        return cls(model=model, tokenizer=tokenizer, schema=schema, settings=settings, **placement)

    def save(self, folder: Path) -> None:
        """Write model (safetensors), tokenizer, schema and settings; ``transformers`` alone loads it as well."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.schema.save(folder / _SCHEMA)
        (folder / _SETTINGS).write_text(json.dumps(asdict(self.settings), indent=2) + "\n", encoding="utf-8")

    def predict(self, documents: Iterable[Document], *, source: str = "") -> Iterator[Document]:
        """Label documents, in their order and in bounded memory; spans that they had are replaced."""
        self.model.to(self.device)
        self.model.eval()
        remaining = iter(documents)
        while block := list(islice(remaining, _BLOCK)):
            spans = iter(self._spans_of([section.text for document in block for section in document.sections], source))
            for document in block:
                yield document.with_spans([next(spans) for _ in document.sections])

    def predict_texts(self, texts: Iterable[str]) -> Iterator[tuple[Span, ...]]:
        """The spans of each text, in order."""
        documents = (Document(str(number), (Section("", text),)) for number, text in enumerate(texts))
        for document in self.predict(documents):
            yield document.sections[0].spans

    def _spans_of(self, texts: Sequence[str], source: str) -> list[tuple[Span, ...]]:
        tokenized = self.windower.tokenize(texts)
        windows = [self.windower.windows(text) for text in tokenized]
        answers = self._probabilities(tokenized, windows)
        tags = len(self.scheme.tags)
        return [
            self.scheme.spans(
                stitch(text, own, answer, tags=tags), text.words, threshold=self.settings.threshold, source=source
            )
            for text, own, answer in zip(tokenized, windows, answers, strict=True)
        ]

    def _probabilities(
        self, texts: Sequence[TokenizedText], windows: Sequence[Sequence[Window]]
    ) -> list[list[NDArray[np.float32]]]:
        """For each text, for each of its windows: ``(words of the window, tags)``."""
        answers: list[list[Any]] = [[None] * len(own) for own in windows]
        places = [(text, number) for text, own in enumerate(windows) for number in range(len(own))]
        inputs = {
            (text, number): self.windower.input_ids(texts[text], windows[text][number]) for text, number in places
        }
        places.sort(key=lambda place: -len(inputs[place]))
        while places:
            # The longest comes first, so its length is the batch's.
            size = max(1, self._batch_tokens // len(inputs[places[0]]))
            batch, places = places[:size], places[size:]
            probabilities = self._run([inputs[place] for place in batch])
            for row, (text, number) in enumerate(batch):
                positions = self.windower.positions(texts[text], windows[text][number])
                answers[text][number] = probabilities[row, positions]
        return answers

    @torch.inference_mode()
    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Tag probabilities ``(batch, tokens, tags)`` of input rows."""
        input_ids, attention_mask = pad(
            rows, padding=self.tokenizer.pad_token_id, device=self.device, longest=self.settings.max_length
        )
        with autocast(self.device, self._dtype):
            output = self.model(input_ids=input_ids.to(self.device), attention_mask=attention_mask.to(self.device))
        probabilities: NDArray[np.float32] = output.logits.float().sigmoid().cpu().numpy()
        return probabilities


def pad(
    rows: Sequence[Sequence[int]], *, padding: int, device: torch.device, longest: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Input ids and attention mask, both ``(batch, tokens)``, of rows of unlike length.

    Lengths are rounded up to a multiple of 8, which matrix units like; of 64 on MPS, whose allocator keeps memory for
    every shape that it has seen. None is made longer than ``longest``, which the encoder may have no positions for.
    """
    multiple = 64 if device.type == "mps" else 8
    length = min(-(-max(len(row) for row in rows) // multiple) * multiple, longest)
    input_ids = torch.full((len(rows), length), padding, dtype=torch.long)
    attention_mask = torch.zeros((len(rows), length), dtype=torch.long)
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = torch.tensor(row, dtype=torch.long)
        attention_mask[index, : len(row)] = 1
    return input_ids, attention_mask


def _longest_input(model: Any) -> int | None:
    """Tokens that the model has positions for; None where it has no such limit."""
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is None:
        return None
    # RoBERTa's family counts positions from the padding index on.
    offset = model.config.pad_token_id + 1 if "roberta" in model.config.model_type else 0
    return int(positions) - offset
