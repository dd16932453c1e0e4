"""A sentence encoder on this machine, run by sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.packaged import packaged_folder


class SentenceEncoder:
    """A model of sentence-transformers, which is loaded when the first text comes that has no kept vector.

    Args:
        name: on the model hub, or a folder.
        revision: of a model on the hub: a branch, tag or commit.
        device: ``auto``, or one that torch knows, such as ``cuda:1``.
        batch_size: texts that are encoded at once.
        prompt: what is put before each text, as some models ask for.
    """

    def __init__(
        self,
        *,
        name: str,
        revision: str | None = None,
        device: str = "auto",
        batch_size: int = 32,
        prompt: str | None = None,
    ) -> None:
        self._name = name
        self._revision = revision
        self._device = None if device == "auto" else device
        self._batch_size = batch_size
        self._prompt = prompt

    @cached_property
    def identity(self) -> str:
        """The model's name on the hub, or what is in its folder, and the prompt."""
        folder = Path(self._name)
        model = _digest(folder) if folder.is_dir() else f"{self._name}@{self._revision or 'main'}"
        return f"sentence-transformers {model} {self._prompt!r}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors, ``(texts, dimensions)``; of a text that is longer than the model can take, its beginning's.

        Raises:
            ConfigError: sentence-transformers is not installed, or the model cannot be loaded.
        """
        vectors: NDArray[np.float32] = self._model.encode(
            list(texts),
            prompt=self._prompt,
            batch_size=self._batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return vectors

    @cached_property
    def _model(self) -> Any:
        # Here, as torch takes seconds to import and hundreds of megabytes, which a run without it does not need.
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging
        except ImportError as error:
            raise ConfigError(
                'the sentence encoder needs sentence-transformers: pip install "kazu-distill[dense]"; '
                "embedding=endpoint and examples=bm25 do without"
            ) from error
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            return SentenceTransformer(self._name, revision=self._revision, device=self._device)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"the sentence encoder {self._name} cannot be loaded ({' '.join(str(error).split())[:200]}): check "
                "embedding.name, and that the model hub can be reached or the model is in its cache; a folder will do "
                "as well, and embedding=minilm needs no hub"
            ) from error


def packaged_sentence_encoder(*, package: str, folder: str, **settings: Any) -> SentenceEncoder:
    """An encoder whose files a Python package carries, in a folder beside its ``__init__.py``.

    Raises:
        ConfigError: the package is not installed.
    """
    return SentenceEncoder(name=packaged_folder(package, folder), **settings)


def _digest(folder: Path) -> str:
    """A digest of a folder's files; a model that is trained again lies under the same name and gives other vectors."""
    digest = blake2b(digest_size=16)
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
