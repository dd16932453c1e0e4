"""A small corpus with the answers to it, and the annotate stage's arguments: what its tests have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kazu_distill.document_files import read_documents
from tests.llm_server import LLMServer

KEY = "sk-this-key-must-appear-nowhere"
TEXTS = {
    "empty": "",
    "blank": " \n ",
    "plain": "We met on Monday.",
    "beyond": "🧬 Famotidine caused delirium 🧬 in 𝐗 patients; delirium passed.",
    "combining": "Sjo\u0308gren syndrome, then Sjögren syndrome.",
    "both": "Insulin rose.",
    "nested": "Lithium nephropathy is rare.",
    "adjacent": "aspirin ibuprofen",
}
ANSWERS = {
    "plain": [],
    "beyond": [("famotidine", "Chemical"), ("delirium", "Disease"), ("delirium", "Disease"), ("mania", "Disease")],
    "combining": [("Sjögren syndrome", "Disease")],
    "both": [("Insulin", "Chemical"), ("Insulin", "Disease")],
    "nested": [("Lithium", "Chemical"), ("Lithium nephropathy", "Disease")],
    "adjacent": [("aspirin", "Chemical"), ("ibuprofen", "Chemical")],
}
SPANS = {
    "empty": [],
    "blank": [],
    "plain": [],
    "beyond": [("Famotidine", "Chemical"), ("delirium", "Disease"), ("delirium", "Disease")],
    "combining": [("Sjo\u0308gren syndrome", "Disease"), ("Sjögren syndrome", "Disease")],
    "both": [("Insulin", "Chemical"), ("Insulin", "Disease")],
    "nested": [("Lithium nephropathy", "Disease"), ("Lithium", "Chemical")],
    "adjacent": [("aspirin", "Chemical"), ("ibuprofen", "Chemical")],
}


def answer(mentions: Sequence[tuple[str, str]]) -> str:
    """An answer as the prompt asks for it."""
    return json.dumps({"entities": [{"entity_match": text, "entity_class": label} for text, label in mentions]})


def by_dictionary(*words: str) -> Callable[[str, str], str]:
    """A server's answer that lists every occurrence of some words."""

    def answer_of(_: str, user: str) -> str:
        tokens = user.replace(".", " ").split()
        return answer([(token, "Chemical") for token in tokens if token in words])

    return answer_of


def corpus_of(folder: Path, texts: dict[str, str]) -> Path:
    """A corpus file of flat records."""
    path = folder / "corpus.jsonl"
    path.write_text("".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items()))
    return path


def arguments(folder: Path, server: LLMServer, llm: str = "local", *more: str, **texts: str) -> list[str]:
    """The command's arguments; waits between attempts are short."""
    url = server.url if llm == "gemini" else f"{server.url}/v1"
    return [
        "corpus=jsonl", f"corpus.path={corpus_of(folder, texts or TEXTS)}", "schema=bc5cdr", f"out={folder / 'out'}",
        f"llm={llm}", "llm.model=m", f"llm.base_url={url}", "llm.retry.first_wait_s=0.01", *more,
    ]  # fmt: skip


def found_in(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Mention and class of every span of the documents that were written."""
    return {
        document.id: [(section.mention(span), span.label) for section, span in document.spans]
        for document in read_documents(folder / "out/documents.jsonl")
    }


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def known(server_answers: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, str]:
    """The answers by the texts that they are about, as the server wants them."""
    return {TEXTS[key]: answer(mentions) for key, mentions in server_answers.items()}
