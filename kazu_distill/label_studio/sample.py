"""A few documents of many, the same few at every evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from kazu_distill.documents import Document


def sample(documents: Sequence[Document], *, size: int, seed: int) -> list[Document]:
    """At most ``size`` documents, in their order, chosen by ``seed`` and their ids alone.

    Gold and predictions of the same documents thus give the same sample, in whatever order they come.
    """

    def drawn(document: Document) -> bytes:
        return hashlib.sha256(f"{seed}:{document.id}".encode(errors="surrogatepass")).digest()

    chosen = {document.id for document in sorted(documents, key=drawn)[:size]}
    return [document for document in documents if document.id in chosen]
