"""What each form of answer can say, and how much of it grounding finds again: gold, written as an answer, and read.

    python scripts/results_styles.py DATA

`DATA` holds `bc5cdr_llm/documents.jsonl` and `bionlp13cg/train` (brat). Every section is a text that is asked about.
The answers are those of an LLM that makes no mistake, so what is lost is lost by the form of the answer or by
grounding; and, for the forms that copy the text, those of one that copies badly (see `copied_badly`).
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from kazu_distill.annotation.grounding.grounder import Grounder, Occurrences
from kazu_distill.annotation.styles.class_lists import ClassLists
from kazu_distill.annotation.styles.guidelines import Guidelines
from kazu_distill.annotation.styles.inline_tags import InlineTags
from kazu_distill.annotation.styles.json_list import JsonList
from kazu_distill.annotation.styles.one_class import OneClass
from kazu_distill.annotation.styles.style import CannotExpress, Style
from kazu_distill.annotation.styles.token_lines import TokenLines
from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.documents import Section, Span
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.schema import Schema

STYLES: dict[str, tuple[Style, bool]] = {  # and whether a class is asked about at a time
    "JsonList": (JsonList(), False),
    "Guidelines": (Guidelines(), False),
    "OneClass": (OneClass(), True),
    "JsonList, class by class": (JsonList(), True),
    "InlineTags": (InlineTags(), False),
    "ClassLists": (ClassLists(), False),
    "TokenLines": (TokenLines(), False),
}
Change = Callable[[str], str]


@dataclass(slots=True)
class Outcome:
    """Counts over a corpus."""

    gold: int = 0
    found: int = 0
    given: int = 0
    unexpressed: int = 0
    text_tokens: int = 0
    answer_tokens: list[float] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Of the gold spans, those that were found again."""
        return self.found / self.gold

    @property
    def f1(self) -> float:
        """Of gold and found spans."""
        return 2 * self.found / (self.gold + self.given)


def main() -> None:
    """Read both corpora and print a table of each."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    data = Path(sys.argv[1])
    corpora = {
        "BC5CDR": Corpus(reader=read_jsonl, path=str(data / "bc5cdr_llm/documents.jsonl")),
        "BioNLP-CG, train": Corpus(reader=read_brat, path=str(data / "bionlp13cg/train")),
    }
    for name, corpus in corpora.items():
        sections = [section for document in corpus for section in document.sections if section.text.strip()]
        schema = Schema(
            name=name, classes=dict.fromkeys(sorted({span.label for each in sections for span in each.spans}))
        )
        spans = sum(len(section.spans) for section in sections)
        print(f"\n{name}: {len(sections):,} texts, {spans:,} spans, {len(schema.labels)} classes\n")
        print("| style | cannot express | found again | F1 | F1, `all` | tokens of output | F1, badly copied |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for style, (_, class_by_class) in STYLES.items():
            print(
                f"| {style} | {' | '.join(_row(style, sections, schema, class_by_class=class_by_class))} |", flush=True
            )
        _print_unmarked(sections)


def _row(name: str, sections: Sequence[Section], schema: Schema, *, class_by_class: bool) -> Iterator[str]:
    style = STYLES[name][0]
    listed, over_text = (
        _outcome(style, sections, schema, occurrences, class_by_class=class_by_class)
        for occurrences in get_args(Occurrences)[:2]
    )
    yield f"{listed.unexpressed:,}"
    yield f"{listed.recall:.4f}"
    yield f"{listed.f1:.4f}"
    yield f"{over_text.f1:.4f}"
    ratios = sorted(listed.answer_tokens)
    yield f"{listed.text_tokens and sum(ratios) / len(ratios):.2f}"
    if isinstance(style, InlineTags | TokenLines):
        chance = random.Random(42)
        change = copied_badly(chance, lines=isinstance(style, TokenLines))
        yield f"{_outcome(style, sections, schema, 'listed', class_by_class=class_by_class, change=change).f1:.4f}"
    else:
        yield ""


def copied_badly(chance: random.Random, *, lines: bool) -> Change:
    """Of the words that a copy has between tags, or of its lines, 6 % are not copied as they stand.

    A third are left out, a third begin with the other case, before a third stands another word. White space is one
    space each, and quotes are typographic.
    """

    def changed(word: str) -> str:
        kind = chance.randrange(50)
        if kind == 0:
            return ""
        if kind == 1:
            return word[:1].swapcase() + word[1:]
        return f"also{' : O' if lines else ''}{chr(10) if lines else ' '}{word}" if kind == 2 else word

    def change(answer: str) -> str:
        if lines:
            return "\n".join(filter(None, map(changed, answer.split("\n"))))
        pieces = re.split(r"(</?[^<>]+>|[^\w<>]+)", answer)
        words = [piece if number % 2 else changed(piece) for number, piece in enumerate(pieces)]
        return " ".join("".join(words).replace('"', "”").split())

    return change


def _outcome(
    style: Style,
    sections: Iterable[Section],
    schema: Schema,
    occurrences: Occurrences,
    *,
    class_by_class: bool,
    change: Change = str,
) -> Outcome:
    grounder = Grounder(occurrences=occurrences, split_abbreviations=False)
    parts = [schema.only([label]) for label in schema.labels] if class_by_class else [schema]
    outcome = Outcome()
    for section in sections:
        gold = {span.place for span in section.spans}
        given: set[tuple[int, int, str]] = set()
        written = 0
        for part in parts:
            answer, unexpressed = _rendered(style, section, part)
            outcome.unexpressed += unexpressed
            written += estimate_tokens(answer)
            parsed = style.parse(change(answer), section.text, part)
            spans = grounder.ground(section.text, parsed.mentions).spans
            given |= {(span.start, span.end, span.label) for span in spans}
        outcome.gold += len(gold)
        outcome.given += len(given)
        outcome.found += len(gold & given)
        outcome.text_tokens += estimate_tokens(section.text)
        outcome.answer_tokens.append(written / estimate_tokens(section.text))
    return outcome


def _rendered(style: Style, section: Section, part: Schema) -> tuple[str, int]:
    """An answer with as many of the spans as the style can express, in order of appearance, and how many it cannot."""
    try:
        return style.render(section.text, section.spans, part), 0
    except CannotExpress:
        kept: list[Span] = []
        for span in section.spans:
            try:
                style.render(section.text, [*kept, span], part)
                kept.append(span)
            except CannotExpress:
                continue
        return style.render(section.text, kept, part), len(section.spans) - len(kept)


def _print_unmarked(sections: Iterable[Section]) -> None:
    """Of the places of strings that gold labels somewhere in a text: how many it labels with that class."""
    counts: Counter[str] = Counter()
    for section in sections:
        labels: dict[str, set[str]] = {}
        for span in section.spans:
            labels.setdefault(section.mention(span), set()).add(span.label)
        places = {(span.start, span.end) for span in section.spans}
        for mention in labels:
            for match in re.finditer(rf"(?<!\w){re.escape(mention)}(?!\w)", section.text):
                counts["labelled" if match.span() in places else "not labelled"] += 1
    print(f"\nplaces of labelled strings: {counts['labelled']:,} labelled, {counts['not labelled']:,} not")


if __name__ == "__main__":
    main()
