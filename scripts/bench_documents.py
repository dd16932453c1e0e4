"""Documents for benchmarks: invented words in sentences, with names of drugs and diseases that nobody has."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import orjson

_PLAIN = """
    the of in and with after before was were had group patient patients dose weeks treatment study response outcome
    higher lower mean level change baseline risk effect given observed reported measured compared improved reduced
    clinical daily oral chronic severe mild early late no significant difference between both arms during follow-up
""".split()  # noqa: SIM905
_STEMS = ("alve", "bor", "cand", "dexi", "eru", "fel", "gant", "hul", "ibra", "jor", "kelo", "lumi")
_ENDINGS = ("mab", "nib", "statin", "itis", "osis", "emia")  # by which the tests' server finds them
_MENTIONS_EVERY = 25  # words


def documents(number: int, *, characters: int, seed: int = 0) -> Iterator[bytes]:
    """JSON lines of an id and a text of about so many characters; the same seed gives the same documents."""
    chance = random.Random(seed)
    for index in range(number):
        yield orjson.dumps({"id": f"doc-{index:06}", "text": _text(chance, index, characters)}) + b"\n"


def write_documents(path: Path, number: int, *, characters: int, seed: int = 0) -> None:
    """Write them to a file."""
    with path.open("wb") as file:
        file.writelines(documents(number, characters=characters, seed=seed))


def _text(chance: random.Random, index: int, characters: int) -> str:
    """No two texts are the same, for the number of the first patient; there is a mention in the first sentence."""
    sentences = [f"Patient {index} received {_name(chance)}."]
    length = len(sentences[0])
    while length < characters:
        words = [chance.choice(_PLAIN) for _ in range(chance.randint(8, 20))]
        if chance.random() < len(words) / _MENTIONS_EVERY:
            words[chance.randrange(1, len(words))] = _name(chance)
        sentences.append(" ".join(words).capitalize() + ".")
        length += len(sentences[-1]) + 1
    return " ".join(sentences)


def _name(chance: random.Random) -> str:
    return chance.choice(_STEMS) + chance.choice(_STEMS) + chance.choice(_ENDINGS)
