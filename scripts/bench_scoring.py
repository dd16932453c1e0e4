"""How long scoring takes, beside nervaluate and seqeval.

    python scripts/bench_scoring.py --spans 1000000 --others 100000

makes gold and predicted documents of so many spans each (seeded; 50 a document, 20 classes, one in five predicted ones
wrong) and scores them, in memory, on one core: strictly, with 95 % intervals of every figure, and with all that
``evaluate`` measures. The two other packages score the first ``--others`` spans, in the forms that they take, whose
making is not timed; so does ours once more.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from time import process_time

from bench_runs import machine, table
from nervaluate import Evaluator
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from kazu_distill.documents import Document, Section, Span
from kazu_distill.scoring.evaluation import evaluate
from kazu_distill.scoring.intervals import intervals
from kazu_distill.scoring.mistakes import analyse
from kazu_distill.scoring.pairs import Pair, paired
from kazu_distill.scoring.tally import sides_of, tally

LABELS = tuple(f"class {number}" for number in range(20))
_IN_DOCUMENT, _STEP = 50, 20  # spans of a document, characters between their starts
_TEXT = "abcdefghi jklmnopqrs" * _IN_DOCUMENT


def drawn(spans: int, seed: int) -> list[Pair]:
    """Gold and predicted documents."""
    numbers = random.Random(seed)
    gold: list[Document] = []
    predicted: list[Document] = []
    for document in range(spans // _IN_DOCUMENT):
        wanted, found = [], []
        for place in range(_IN_DOCUMENT):
            start = place * _STEP + numbers.randrange(5)
            span = Span(start, start + numbers.randint(2, 14), numbers.choice(LABELS))
            wanted.append(span)
            kind = numbers.randrange(15)
            if kind == 0:
                span = Span(span.start, span.end, numbers.choice(LABELS))
            elif kind == 1:
                span = Span(span.start, span.end + 1, span.label)
            elif kind == 2:
                span = Span(place * _STEP, span.start + 1, span.label)
            found.append(span)
        for side, own in ((gold, wanted), (predicted, found)):
            side.append(Document(str(document), (Section("", _TEXT, tuple(own)),)))
    return paired(gold, predicted)


def as_tags(pairs: list[Pair], side: int) -> list[list[str]]:
    """A tag for each character."""
    found = []
    for pair in pairs:
        tags = ["O"] * len(_TEXT)
        for span in pair[side].sections[0].spans:
            tags[span.start : span.end] = [f"B-{span.label}"] + [f"I-{span.label}"] * (span.end - span.start - 1)
        found.append(tags)
    return found


def as_entities(pairs: list[Pair], side: int) -> list[list[dict[str, str | int]]]:
    """A mapping for each entity."""
    return [
        [{"label": span.label, "start": span.start, "end": span.end - 1} for span in pair[side].sections[0].spans]
        for pair in pairs
    ]


def seconds(work: Callable[[], object]) -> str:
    """Of CPU time."""
    begun = process_time()
    work()
    return f"{process_time() - begun:.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=100_000, help="spans that the other packages score")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    print(f"{machine()}\n")
    pairs = drawn(options.spans, options.seed)
    few = pairs[: options.others // _IN_DOCUMENT]

    def strict(of: list[Pair]) -> object:
        return tally(sides_of(of, LABELS), "strict").total()

    rows = [
        [f"{options.spans:,}", "ours, strict", seconds(lambda: strict(pairs))],
        [
            f"{options.spans:,}",
            "ours, strict, with intervals",
            seconds(lambda: intervals(tally(sides_of(pairs, LABELS), "strict"), seed=1)),
        ],
        [
            f"{options.spans:,}",
            "ours, all of evaluate: intervals, looser rules, words",
            seconds(lambda: evaluate(pairs, LABELS, seed=1, resamples=1000)),
        ],
        [f"{options.spans:,}", "ours, kinds of mistakes", seconds(lambda: analyse(pairs, LABELS))],
        [f"{options.others:,}", "ours, strict", seconds(lambda: strict(few))],
    ]
    tags = [as_tags(few, side) for side in (0, 1)]
    rows.append(
        [f"{options.others:,}", "seqeval, strict", seconds(lambda: f1_score(*tags, mode="strict", scheme=IOB2))]
    )
    entities = [as_entities(few, side) for side in (0, 1)]
    rows.append(
        [
            f"{options.others:,}",
            "nervaluate, its four rules",
            seconds(lambda: Evaluator(*entities, tags=list(LABELS), loader="dict").evaluate()),
        ]
    )
    print(table(["spans of each side", "", "CPU seconds"], rows))


if __name__ == "__main__":
    main()
