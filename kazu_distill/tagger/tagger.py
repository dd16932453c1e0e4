"""The trained tagger: documents in, documents with scored spans out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kazu_distill.documents import Document, Section, Span, blocks_of
from kazu_distill.models.device import Precision
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.tagger.decoding import Reading
from kazu_distill.tagger.runtime import Runtime, RuntimeName, load_runtime
from kazu_distill.tagger.saved import TaggerParts, load_parts
from kazu_distill.tagger.windows import TokenizedText, Window, Windower, stitch

BLOCK = 500_000
"""Characters of the documents whose windows are sorted by length together."""


class Tagger:
    """Labels texts by a model's probabilities.

    Args:
        runtime: what computes them.
        parts: tokenizer, classes, tags and settings.
        batch_tokens: tokens, with padding, that are computed at once; by default what suits the runtime.

    Raises:
        ConfigError: the windows have no room.
    """

    def __init__(self, *, runtime: Runtime, parts: TaggerParts, batch_tokens: int | None = None) -> None:
        self.runtime = runtime
        self.schema = parts.schema
        self.scheme = parts.scheme
        self.settings = parts.settings
        self.windower = Windower(parts.tokenizer, max_length=parts.settings.max_length, stride=parts.settings.stride)
        self._batch_tokens = batch_tokens or runtime.batch_tokens

    @classmethod
    def from_pretrained(
        cls,
        folder: Path | str,
        *,
        runtime: RuntimeName = "torch",
        device: str = "auto",
        precision: Precision = "auto",
        batch_tokens: int | None = None,
    ) -> Tagger:
        """The tagger that ``python -m kazu_distill.train`` saved in a folder.

        Args:
            folder: of the model.
            runtime: ``torch``; or ``onnx`` or ``int8``, which ``python -m kazu_distill.export`` makes.
            device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
            precision: of torch's matrix products: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
            batch_tokens: tokens, with padding, that are computed at once.

        Raises:
            ConfigError: the folder has no tagger, or none for this runtime, or the device is not there.
        """
        quieten_libraries()
        folder = Path(folder)
        parts = load_parts(folder)
        loaded = load_runtime(runtime, folder, parts, device=device, precision=precision)
        return cls(runtime=loaded, parts=parts, batch_tokens=batch_tokens)

    def predict(self, texts: Iterable[str]) -> Iterator[tuple[Span, ...]]:
        """The spans of each text, in the order of the texts and in bounded memory."""
        documents = (Document(str(number), (Section("", text),)) for number, text in enumerate(texts))
        for document in self.label(documents):
            yield document.sections[0].spans

    def label(self, documents: Iterable[Document], *, source: str = "") -> Iterator[Document]:
        """The documents with predicted spans in place of those that they had, in order and in bounded memory."""
        for block in blocks_of(documents, characters=BLOCK):
            yield from self.labelled(block, self.read(block), source=source)

    def read(self, documents: Sequence[Document]) -> Reading:
        """What the model says of the words of some documents, whose sections are the texts; all at once in memory."""
        texts = self.windower.tokenize([section.text for document in documents for section in document.sections])
        return Reading.of(self.word_probabilities(texts), [text.words for text in texts], self.scheme)

    def labelled(self, documents: Sequence[Document], reading: Reading, *, source: str = "") -> list[Document]:
        """Documents with the spans that are in a reading of them, at the tagger's thresholds."""
        spans = iter(reading.spans(self.settings.thresholds_of(self.scheme.labels), source=source))
        return [document.relabelled([next(spans) for _ in document.sections]) for document in documents]

    def word_probabilities(self, texts: Sequence[TokenizedText]) -> list[NDArray[np.float32]]:
        """For each text ``(words, tags)``, each word out of the window in which it has most context."""
        windows = [self.windower.windows(text) for text in texts]
        answers = self._answers(texts, windows)
        tags = len(self.scheme.tags)
        return [stitch(text, own, answer, tags=tags) for text, own, answer in zip(texts, windows, answers, strict=True)]

    def _answers(
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
            probabilities = self.runtime.probabilities([inputs[place] for place in batch])
            for row, (text, number) in enumerate(batch):
                positions = self.windower.positions(texts[text], windows[text][number])
                if self.scheme.every_piece:
                    end = len(inputs[text, number]) - self.windower.tokens_behind
                    answers[text][number] = np.maximum.reduceat(probabilities[row, :end], positions)
                else:
                    answers[text][number] = probabilities[row, positions]
        return answers
