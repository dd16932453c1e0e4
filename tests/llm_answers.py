"""What the tests' server answers when nobody tells it: out of a file, or by a rule that needs none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import orjson

NO_ENTITIES = '{"entities": []}'
# Endings that no common English word has; names of drugs and diseases are full of them.
CHEMICAL_ENDINGS = ("mab", "nib", "statin")
DISEASE_ENDINGS = ("itis", "osis", "emia")
_QUOTED_ANSWER = "entity_match"  # stands in a message about an answer, and in no text


def answers_of_file(path: Path) -> Callable[[str, str], str | None]:
    """Answers out of a JSONL file of ``text`` and ``answer``; a part of a text gets the entities that stand in it."""
    known = {record["text"]: record["answer"] for record in map(json.loads, path.open(encoding="utf-8"))}

    def answer_of(_system: str, user: str) -> str | None:
        if user in known:
            return str(known[user])
        whole = next((answer for text, answer in known.items() if user in text), None)
        if whole is None:
            return None
        entities = [entity for entity in json.loads(whole)["entities"] if entity["entity_match"] in user]
        return json.dumps({"entities": entities}, ensure_ascii=False)

    return answer_of


def synthetic_answers(most: int) -> Callable[[str, str], str | None]:
    """Answers by the endings of words, with at most so many mentions; a text without any is not known."""

    def answer_of(_system: str, user: str) -> str | None:
        if _QUOTED_ANSWER in user:
            return None
        words = [word.strip(".,;:()") for word in user.split()]
        entities = [
            {"entity_match": word, "entity_class": "Chemical" if word.endswith(CHEMICAL_ENDINGS) else "Disease"}
            for word in words
            if word.endswith(CHEMICAL_ENDINGS + DISEASE_ENDINGS)
        ]
        return orjson.dumps({"entities": entities[:most]}).decode() if entities else None

    return answer_of
