"""Turn the recorded answers of an LLM about sentences into one answer a document, for ``tests.llm_server`` to serve.

    python scripts/bc5cdr_answers.py documents.jsonl answers/mixtral.jsonl served.jsonl

A document's answer is the JSON that the prompt asks for: the mentions of its sentences, in order.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any


def served_answers(documents: Path, answers: Path) -> list[dict[str, str]]:
    """``text`` and ``answer`` for each document, in the documents' order."""
    sentences: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for sentence in map(json.loads, answers.open(encoding="utf-8")):
        sentences[sentence["id"]].append(sentence)
    served = []
    for document in map(json.loads, documents.open(encoding="utf-8")):
        in_order = sorted(sentences[document["id"]], key=lambda sentence: int(sentence["start"]))
        entities = [mention for sentence in in_order for mention in sentence["mentions"]]
        served.append({"text": document["text"], "answer": json.dumps({"entities": entities}, ensure_ascii=False)})
    return served


if __name__ == "__main__":
    documents, answers, out = map(Path, sys.argv[1:])
    out.write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in served_answers(documents, answers)),
        encoding="utf-8",
    )
