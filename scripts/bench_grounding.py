"""Time and accuracy of grounding, beside langextract's aligner on the same mentions, as a markdown table.

    python scripts/bench_grounding.py --documents documents.jsonl --langextract /path/to/its/python

``documents.jsonl`` holds an object a line: ``text`` and ``entities`` with ``start``, ``end`` and ``label``. langextract
runs in an interpreter of its own (``pip install langextract``). Without either, what needs it is left out. Seconds are
CPU seconds of one process.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from kazu_distill.annotation.grounding.grounder import Grounder
from kazu_distill.annotation.parsing.answer import Mention

Place = tuple[int, int] | None

# Reads a line {"text", "mentions"} a document; writes {"seconds", "places"}. Runs in langextract's interpreter.
_LANGEXTRACT = """
import json, sys, time
from langextract.core.data import Extraction
from langextract.resolver import WordAligner
for line in sys.stdin:
    case = json.loads(line)
    extractions = [Extraction(str(number), mention) for number, mention in enumerate(case["mentions"])]
    start = time.process_time()
    (aligned,) = WordAligner().align_extractions([extractions], case["text"]) if extractions else ([],)
    seconds = time.process_time() - start
    places = [each.char_interval and [each.char_interval.start_pos, each.char_interval.end_pos] for each in aligned]
    print(json.dumps({"seconds": seconds, "places": places}))
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A text, its mentions in order of appearance, where each stands, and which of them count."""

    text: str
    mentions: list[str]
    places: list[tuple[int, int]]
    counted: list[bool]


Aligner = Callable[[Sequence[Case]], tuple[float, list[list[Place]]]]
"""Given cases: CPU seconds and a place for each mention."""


def ours(grounder: Grounder) -> Aligner:
    """Our grounder; each mention is a class of its own, so that its span can be told from the others'."""

    def align(cases: Sequence[Case]) -> tuple[float, list[list[Place]]]:
        seconds, places = 0.0, []
        for case in cases:
            mentions = [Mention(mention, str(number)) for number, mention in enumerate(case.mentions)]
            start = process_time()
            grounding = grounder.ground(case.text, mentions)
            seconds += process_time() - start
            found = {int(span.label): (span.start, span.end) for span in grounding.spans}
            places.append([found.get(number) for number in range(len(mentions))])
        return seconds, places

    return align


def langextract(interpreter: Path) -> Aligner:
    """langextract's aligner with its own settings, in its own interpreter."""

    def align(cases: Sequence[Case]) -> tuple[float, list[list[Place]]]:
        lines = "".join(json.dumps({"text": case.text, "mentions": case.mentions}) + "\n" for case in cases)
        done = subprocess.run(
            [interpreter, "-c", _LANGEXTRACT], input=lines, capture_output=True, check=True, encoding="utf-8"
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        places = [[tuple(place) if place else None for place in answer["places"]] for answer in answers]
        return sum(answer["seconds"] for answer in answers), places

    return align


# --- what LLMs do to a mention ---


def _case(mention: str) -> str:
    return mention.title() if mention.title() != mention else mention.lower()


def _plural(mention: str) -> str:
    for ending, other in (("sis", "ses"), ("ies", "y"), ("us", "uses"), ("ss", "sses")):
        if mention.endswith(ending):
            return mention.removesuffix(ending) + other
    if re.search("[a-z][^aeiou]y$", mention):
        return f"{mention[:-1]}ies"
    return mention[:-1] if re.search("[^i]s$", mention) else f"{mention}s"


def _hyphen(mention: str) -> str:
    return mention.replace("-", " ") if "-" in mention else mention.replace(" ", "-")


def _greek(mention: str) -> str:
    names = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "kappa": "κ", "omega": "ω"}
    for name, letter in [*names.items(), *((letter, name) for name, letter in names.items())]:
        if name in mention:
            return mention.replace(name, letter)
    return mention


def _truncation(mention: str) -> str:
    return mention[:-2] if len(mention) >= 10 else mention


def _doubled_space(mention: str) -> str:
    return mention.replace(" ", "  ")


PERTURBATIONS: dict[str, Callable[[str], str]] = {
    "case": _case,
    "plural": _plural,
    "hyphen": _hyphen,
    "Greek": _greek,
    "truncation (two letters)": _truncation,
    "doubled space": _doubled_space,
}


def perturbed(cases: Sequence[Case], perturb: Callable[[str], str]) -> list[Case]:
    """Every mention perturbed; those count that it changes."""
    changed = [[perturb(mention) for mention in case.mentions] for case in cases]
    return [
        Case(case.text, new, case.places, [one != other for one, other in zip(new, case.mentions, strict=True)])
        for case, new in zip(cases, changed, strict=True)
    ]


def half_listed(cases: Sequence[Case], seed: int) -> list[Case]:
    """Half of the mentions, in order, as of an LLM that overlooks some: which place is meant is to be found out."""
    chance = random.Random(seed)
    kept = [[turn for turn in range(len(case.mentions)) if chance.random() < 0.5] for case in cases]
    return [
        Case(
            case.text,
            [case.mentions[turn] for turn in turns],
            [case.places[turn] for turn in turns],
            [True] * len(turns),
        )
        for case, turns in zip(cases, kept, strict=True)
    ]


def read_cases(documents: Path, most: int) -> list[Case]:
    """The gold mentions of the first documents; of mentions at one place, one."""
    cases = []
    for line in documents.open(encoding="utf-8"):
        record = json.loads(line)
        places = sorted({(each["start"], each["end"]) for each in record["entities"]})
        mentions = [record["text"][start:end] for start, end in places]
        cases.append(Case(record["text"], mentions, places, [True] * len(places)))
    return cases[:most]


def synthetic(characters: int, mentions: int, seed: int) -> tuple[str, list[Mention]]:
    """A text of made-up words, and mentions of one to three words in order; one in eight is not in the text."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghilmnoprstuvy", k=chance.randint(3, 11))) for _ in range(20_000)]
    words += [f"{word}-{chance.choice('1234αβγ')}" for word in words[:2_000]]
    text = ""
    pieces: list[str] = []
    length = 0
    while length < characters:
        common = chance.random() < 0.5
        pieces.append(chance.choice(words[:2_000] if common else words) + chance.choice(["", "", "", ",", ".", "\n"]))
        length += len(pieces[-1]) + 1
    text = " ".join(pieces)[:characters]
    standing = text.split()
    listed = []
    for start in sorted(chance.choices(range(len(standing) - 3), k=mentions)):
        mention = " ".join(standing[start : start + chance.randint(1, 3)]).strip(",.")
        listed.append(Mention(f"{mention}q" if chance.random() < 1 / 8 else mention, chance.choice("xy")))
    return text, listed


def scaling(seed: int) -> Iterator[str]:
    """Rows of the time for texts of several sizes."""
    yield "| characters | mentions | listed, s | all, s | document, s | all, with every weaker form, s |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for characters in (250_000, 500_000, 1_000_000):
        text, mentions = synthetic(characters, characters // 100, seed)
        seconds = [
            _seconds(grounder, text, mentions)
            for grounder in (
                Grounder(occurrences="listed"),
                Grounder(occurrences="all"),
                Grounder(occurrences="document"),
                Grounder(occurrences="all", inflected=True, glosses=True, fuzzy=0.9),
            )
        ]
        yield f"| {characters:,} | {len(mentions):,} | {' | '.join(f'{each:.2f}' for each in seconds)} |"


def _seconds(grounder: Grounder, text: str, mentions: Sequence[Mention]) -> float:
    start = process_time()
    spans = grounder.ground(text, mentions).spans
    if grounder.over_documents:
        grounder.over_document([text], [spans])
    return process_time() - start


def accuracy(cases: Sequence[Case], aligners: dict[str, Aligner], seed: int) -> Iterator[str]:
    """Rows of documents a second, and of the share of mentions whose place is exactly the gold one."""
    sets = {"as they stand": list(cases), "as they stand, half of them": half_listed(cases, seed)}
    sets |= {name: perturbed(cases, perturb) for name, perturb in PERTURBATIONS.items()}
    yield f"| mentions | how many | {' | '.join(aligners)} |"
    yield "| --- | --- |" + " --- |" * len(aligners)
    speeds: dict[str, str] = {}
    for name, own in sets.items():
        counted = sum(sum(case.counted) for case in own)
        shares = []
        for aligner_name, align in aligners.items():
            seconds, places = align(own)
            speeds.setdefault(aligner_name, f"{len(own) / seconds:,.0f}")
            hits = sum(
                counts and found == place
                for case, found_places in zip(own, places, strict=True)
                for counts, found, place in zip(case.counted, found_places, case.places, strict=True)
            )
            shares.append(f"{hits / max(counted, 1):.3f}")
        yield f"| {name} | {counted:,} | {' | '.join(shares)} |"
    yield f"| documents a second, as they stand | {len(cases):,} | {' | '.join(speeds.values())} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, help="JSONL with gold entities")
    parser.add_argument("--langextract", type=Path, metavar="PYTHON", help="an interpreter that has langextract")
    parser.add_argument("--most", type=int, default=500, help="documents to read")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("\n".join(scaling(options.seed)), end="\n\n")
    if options.documents is None:
        print("No --documents: accuracy is not measured.")
        return
    aligners = {
        "default": ours(Grounder(occurrences="listed")),
        "inflected": ours(Grounder(occurrences="listed", inflected=True)),
        "inflected, fuzzy .85": ours(Grounder(occurrences="listed", inflected=True, fuzzy=0.85)),
    }
    if options.langextract is None:
        print("No --langextract: it is left out.\n")
    else:
        aligners["langextract"] = langextract(options.langextract)
    print("\n".join(accuracy(read_cases(options.documents, options.most), aligners, options.seed)))


if __name__ == "__main__":
    main()
