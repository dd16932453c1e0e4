"""Vectors from a server that speaks OpenAI's ``/embeddings``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import numpy as np
import openai
from numpy.typing import NDArray

from kazu_distill.errors import ConfigError
from kazu_distill.llm.endpoint import read_key
from kazu_distill.retrieval.embedding.encoder import EmbeddingError

_AT_ONCE = 2048  # texts that OpenAI takes in a request


class EndpointEncoder:
    """An embedding model behind a server; it is not asked about a text whose vector is kept.

    Args:
        model: its name at the server.
        base_url: the server's address up to ``/v1``; None is OpenAI.
        api_key_env: the environment variable that holds the key; None for a server that asks for no key.
        dimensions: of a vector, for models that can make shorter ones; None leaves it to the model.
        batch_size: texts of a request.
        timeout_s: seconds without an answer.
        retries: how often a request is tried again that failed for a reason that may pass.

    Raises:
        ConfigError: the address is none, holds a password, or the batch is larger than servers take.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str | None = None,
        api_key_env: str | None,
        dimensions: int | None = None,
        batch_size: int = 128,
        timeout_s: float = 60.0,
        retries: int = 6,
    ) -> None:
        self._model = model
        self._address = (base_url or "https://api.openai.com/v1").rstrip("/")
        self._key_env = api_key_env
        self._dimensions = dimensions
        self._batch_size = batch_size
        self._timeout_s = timeout_s
        self._retries = retries
        self._sdk: openai.OpenAI | None = None
        if "@" in urlsplit(self._address).netloc:
            raise ConfigError(
                "embedding.base_url holds a password: give a key in an environment variable (embedding.api_key_env)"
            )
        if not self._address.startswith(("http://", "https://")):
            raise ConfigError(f"embedding.base_url={base_url}: an address begins with http:// or https://")
        if not 1 <= batch_size <= _AT_ONCE:
            raise ConfigError(f"embedding.batch_size={batch_size}: give a number from 1 to {_AT_ONCE}")

    @property
    def identity(self) -> str:
        """The server, the model and the number of dimensions."""
        return f"{self._address} {self._model} {self._dimensions}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors, ``(texts, dimensions)``.

        Raises:
            EmbeddingError: the server cannot be reached, refuses, or answers something else.
            Refused: the key's environment variable is not set.
        """
        batches = [texts[start : start + self._batch_size] for start in range(0, len(texts), self._batch_size)]
        vectors = np.concatenate([self._ask(batch) for batch in batches])
        if not np.isfinite(vectors).all():
            raise EmbeddingError(f"{self._address}: the vectors of {self._model!r} are not all numbers")
        return vectors

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._sdk is None:
            # Not before it is needed: what is kept needs no key. Its own retries obey Retry-After.
            key = read_key(self._key_env, offline=False)
            self._sdk = openai.OpenAI(
                api_key=key, base_url=self._address, timeout=self._timeout_s, max_retries=self._retries
            )
        dimensions = openai.omit if self._dimensions is None else self._dimensions
        try:
            # Base64 is the SDK's default; some servers know only lists of numbers.
            response = self._sdk.embeddings.create(
                model=self._model, input=list(texts), dimensions=dimensions, encoding_format="float"
            )
            by_number = {one.index: one.embedding for one in response.data}
            return np.array([by_number[number] for number in range(len(texts))], np.float32)
        except openai.APIStatusError as error:
            raise self._refused(error) from None  # theirs may quote the key
        except openai.APITimeoutError:
            raise EmbeddingError(f"{self._address}: no answer in time (embedding.timeout_s)") from None
        except openai.APIConnectionError:
            raise EmbeddingError(
                f"cannot reach {self._address}: is the server running? set embedding.base_url"
            ) from None
        except (openai.APIError, ValueError, TypeError, KeyError, AttributeError):
            raise EmbeddingError(f"{self._address}: what came back is no list of {len(texts)} embeddings") from None

    def _refused(self, error: openai.APIStatusError) -> EmbeddingError:
        if error.status_code in (401, 403):
            key = f"the key in {self._key_env}" if self._key_env else "a request without a key (embedding.api_key_env)"
            return EmbeddingError(f"{self._address}: {key} was not accepted ({error.status_code})")
        key = "" if self._sdk is None else self._sdk.api_key
        said = " ".join(error.message.replace(key, "***").split() if key else error.message.split())[:300]
        return EmbeddingError(f"{self._address}: embeddings of {self._model!r} failed ({error.status_code}): {said}")
