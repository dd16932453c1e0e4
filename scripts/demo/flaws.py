"""The invented LLM's answers: what is in the abstracts, with flaws of the kinds that real answers have."""

from __future__ import annotations

import collections
import json
import random
import re
from collections.abc import Callable

from abstracts import CLASSES, Document, Item


def dump(items: list[Item]) -> str:
    """The answer as the prompt asks for it."""
    return json.dumps({"entities": items}, ensure_ascii=False)


# One function per flaw. Each returns the answer text, or None where the document offers nothing to spoil.
# Flaws of the layout leave every mention right; flaws of the content touch one or two mentions.


def fenced(doc: Document, rng: random.Random) -> str | None:
    """A chatty sentence, then the JSON in a fenced block."""
    opener = rng.choice(
        (
            "Sure! Here are the entities I found in the abstract:",
            "Here is the JSON with all biomedical entities mentioned in the text.",
            "I have annotated the document as requested.",
        )
    )
    return f"{opener}\n\n```json\n{json.dumps({'entities': doc.items()}, ensure_ascii=False, indent=2)}\n```"


def trailing_comma(doc: Document, _rng: random.Random) -> str | None:
    """A comma after the last item."""
    return dump(doc.items()).removesuffix("]}") + ",]}"


def bare_list(doc: Document, _rng: random.Random) -> str | None:
    """A list in place of the object."""
    return json.dumps(doc.items(), ensure_ascii=False)


def first_occurrence_only(doc: Document, _rng: random.Random) -> str | None:
    """Each string listed once, however often it occurs."""
    unique = {item["entity_match"]: item for item in doc.items()}
    return dump(list(unique.values())) if len(unique) < len(doc.entities) else None


def changed_case(doc: Document, rng: random.Random) -> str | None:
    """Two mentions with the case of their first letter changed, and one class in title case."""
    items = doc.items()
    wordy = [item for item in items if item["entity_match"].islower()]
    if len(wordy) < 2:
        return None
    for item in rng.sample(wordy, 2):
        item["entity_match"] = item["entity_match"].capitalize()
    item = rng.choice(items)
    item["entity_class"] = item["entity_class"].capitalize()
    return dump(items)


def missing(doc: Document, rng: random.Random) -> str | None:
    """One or two strings left out altogether."""
    strings = sorted({item["entity_match"] for item in doc.items()})
    dropped = rng.sample(strings, rng.choice((1, 2)))
    return dump([item for item in doc.items() if item["entity_match"] not in dropped])


def hallucinated(doc: Document, rng: random.Random) -> str | None:
    """A mention that the text does not contain."""
    extras = [
        ("interleukin-17A", "gene or gene product"),
        ("osteoporosis", "disease, disorder, phenotype or trait"),
        ("simvastatin", "drug"),
        ("Helicobacter pylori", "species"),
        ("Northern blotting", "method"),
    ]
    match, label = rng.choice([extra for extra in extras if extra[0].lower() not in doc.text.lower()])
    items = doc.items()
    items.insert(rng.randrange(len(items) + 1), {"entity_match": match, "entity_class": label})
    return dump(items)


def unknown_class(doc: Document, rng: random.Random) -> str | None:
    """One mention under a class that the schema lacks."""
    items = doc.items()
    rng.choice(items)["entity_class"] = rng.choice(("other", "clinical trial endpoint", "biomarker"))
    return dump(items)


def wrong_class(doc: Document, rng: random.Random) -> str | None:
    """One mention under a wrong class, often a neighbouring one."""
    near = {
        "drug": "chemical",
        "chemical": "drug",
        "gene or gene product": "chemical",
        "cell type": "anatomical part or tissue",
        "anatomical part or tissue": "cell type",
        "mutation": "gene or gene product",
    }
    items = doc.items()
    confusable = [item for item in items if item["entity_class"] in near]
    if not confusable:
        return None
    item = rng.choice(confusable)
    item["entity_class"] = near[item["entity_class"]]
    return dump(items)


def long_boundary(doc: Document, rng: random.Random) -> str | None:
    """One mention that takes in the word before or after it."""
    choices: list[tuple[int, str]] = []
    for i, (start, end, _) in enumerate(doc.entities):
        if before := re.search(r"[a-z]{3,} $", doc.text[:start]):
            choices.append((i, doc.text[before.start() : end]))
        if after := re.match(r" [a-z]{3,}", doc.text[end:]):
            choices.append((i, doc.text[start : end + after.end()]))
    if not choices:
        return None
    items = doc.items()
    index, longer = rng.choice(choices)
    items[index]["entity_match"] = longer
    return dump(items)


PLAIN = str.maketrans({"²": "2", "⁺": "+", "’": "'", "\u2011": "-"})
SPELLED = (("TNF-α", "TNF-alpha"), ("β-catenin", "beta-catenin"))


def plain_characters(doc: Document, rng: random.Random) -> str | None:
    """Typographic characters replaced by plain ones, a Greek letter spelled out, or a space doubled."""
    items = doc.items()
    spelled = False
    for item in items:
        item["entity_match"] = item["entity_match"].translate(PLAIN)
        for greek, latin in SPELLED:
            if item["entity_match"] == greek and not spelled:
                item["entity_match"] = latin
                spelled = True
    if items == doc.items():
        return None
    spaced = [item for item in items if " " in item["entity_match"]]
    if spaced:
        item = rng.choice(spaced)
        item["entity_match"] = item["entity_match"].replace(" ", "  ", 1)
    return dump(items)


def placeholder(doc: Document, rng: random.Random) -> str | None:
    """An item that says there is none of a class."""
    seen = {label for _, _, label in doc.entities}
    absent = [label for label in CLASSES if label not in seen]
    if not absent:
        return None
    return dump([*doc.items(), {"entity_match": "None", "entity_class": rng.choice(absent)}])


def cut_off(doc: Document, rng: random.Random) -> str | None:
    """The JSON ends in the middle of an item, two thirds of the way or later."""
    answer = dump(doc.items())
    colon = answer.index('": "', int(len(answer) * rng.uniform(0.65, 0.85)))
    return answer[: colon + 6]


def extra_key(doc: Document, rng: random.Random) -> str | None:
    """A key that nobody asked for in every item."""
    return dump([item | {"confidence": rng.choice(("high", "high", "medium"))} for item in doc.items()])


Flaw = Callable[[Document, random.Random], str | None]
# How many answers carry each flaw (35 of 84).
PLAN: tuple[tuple[Flaw, int], ...] = (
    (fenced, 4),
    (trailing_comma, 2),
    (bare_list, 2),
    (first_occurrence_only, 4),
    (changed_case, 3),
    (missing, 4),
    (hallucinated, 2),
    (unknown_class, 2),
    (wrong_class, 3),
    (long_boundary, 3),
    (plain_characters, 2),
    (placeholder, 1),
    (cut_off, 2),
    (extra_key, 1),
)


def write_answers(docs: list[Document], rng: random.Random) -> tuple[dict[str, str], collections.Counter[str]]:
    """Answer every document, spoiling as many as ``PLAN`` says; also count the flaws used."""
    answers = {doc.id: dump(doc.items()) for doc in docs}
    used: collections.Counter[str] = collections.Counter()
    free = [doc for doc in docs if doc.entities]
    rng.shuffle(free)
    for flaw, wanted in sorted(PLAN, key=lambda pair: pair[0] not in (placeholder, plain_characters)):
        for doc in list(free):
            if used[flaw.__name__] == wanted:
                break
            spoiled = flaw(doc, rng)
            if spoiled is not None:
                answers[doc.id] = spoiled
                used[flaw.__name__] += 1
                free.remove(doc)
    return answers, used
