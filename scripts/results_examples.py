"""What the examples for a text have of what is in it, by the way they are chosen; no LLM is asked.

    python scripts/results_examples.py ../shared/data/bionlp13cg --queries test

The pool is the training part; for each chunk of the queries' documents, examples are chosen by the configuration that
ships. A mention counts as helped if its class, or its string without case, has a span in one of the examples shown.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Span
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.retrieval.shown import Example
from kazu_distill.stage import shipped_config

WAYS = ("random", "fixed", "bm25", "nearest", "diverse", "nearest_gated")
UNITS = {"abstracts": 600, "sentences": 45}  # tokens of a chunk
KS = (1, 2, 4, 8)
SEEDS = 5  # of random, whose figures are means


@dataclass
class Figures:
    """Counts over the mentions of all queries, for one way and one k."""

    mentions: int = 0
    classes: int = 0
    strings: int = 0
    rare: int = 0
    rare_classes: int = 0
    rare_strings: int = 0
    queries: int = 0
    shown: int = 0
    tokens: int = 0
    without: int = field(default=0)


@dataclass(frozen=True)
class Query:
    """A chunk of a document, with its mentions: class and string."""

    document: Document
    text: str
    mentions: tuple[tuple[str, str], ...]


def queries_of(documents: Sequence[Document], chunker: Chunker) -> Iterator[Query]:
    """The chunks of documents, those without mentions too."""
    for document in documents:
        for section in document.sections:
            for chunk in chunker.chunks(section.text):
                inside = [span for span in section.spans if chunk.start <= span.start and span.end <= chunk.end]
                mentions = tuple((span.label, section.mention(span).casefold()) for span in inside)
                yield Query(document, section.text[chunk.start : chunk.end], mentions)


def spans_of(examples: Sequence[Example]) -> Iterator[tuple[Example, Span]]:
    """Every span of some examples."""
    return ((example, span) for example in examples for span in example.spans)


def add(figures: Figures, query: Query, shown: Sequence[Example], rare: set[str]) -> None:
    """Count a query."""
    labels = {span.label for _, span in spans_of(shown)}
    strings = {example.text[span.start : span.end].casefold() for example, span in spans_of(shown)}
    figures.queries += 1
    figures.shown += len(shown)
    figures.without += not shown
    figures.tokens += sum(estimate_tokens(example.text) for example in shown)
    for label, string in query.mentions:
        figures.mentions += 1
        figures.classes += label in labels
        figures.strings += string in strings
        if label in rare:
            figures.rare += 1
            figures.rare_classes += label in labels
            figures.rare_strings += string in strings


def examples_by(way: str, pool: Path, tokens: int, cache: Path, *overrides: str) -> RetrievedExamples:
    """The examples as the configuration that ships has them, without a limit of their length."""
    settings = [
        "schema=bionlp13cg", "corpus.path=any", f"examples={way}", f"examples.path={pool}", "examples.k=8",
        "examples.max_tokens=1000000", f"examples.chunks.tokens={tokens}", f"examples.cache={cache}",
        "embedding.device=cpu", *overrides,
    ]  # fmt: skip
    with initialize_config_dir(str(shipped_config()), version_base="1.3", job_name="annotate"):
        config = compose("annotate", settings)
        examples: RetrievedExamples = instantiate(config.examples, schema=instantiate(config.schema))
    return examples


def table(title: str, figures: dict[tuple[str, int], Figures]) -> None:
    """Print figures as a table."""
    print(f"\n### {title}\n")
    print("| way | k | class | string | class, rare | string, rare | shown | tokens of text | chunks without |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for (way, k), one in figures.items():
        shares = [one.classes / one.mentions, one.strings / one.mentions]
        shares += [one.rare_classes / one.rare, one.rare_strings / one.rare]
        cells = [f"{100 * share:.1f}" for share in shares]
        cells += [f"{one.shown / one.queries:.2f}", f"{one.tokens / one.queries:.0f}"]
        print(f"| {way} | {k} | {' | '.join(cells)} | {100 * one.without / one.queries:.1f} % |")


def main() -> None:
    """Run everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="the folder of bionlp13cg")
    parser.add_argument("--queries", choices=("devel", "test"), default="test")
    parser.add_argument("--rare", type=int, default=200, help="a class with fewer spans in the training part is rare")
    parser.add_argument("--ways", nargs="*", default=WAYS)
    parser.add_argument("--units", nargs="*", default=list(UNITS))
    parser.add_argument("overrides", nargs="*", default=[], help="of the configuration, such as examples.k=4")
    arguments = parser.parse_args()
    train, asked = (
        list(Corpus(reader=read_brat, path=arguments.corpus / part)) for part in ("train", arguments.queries)
    )
    spans = Counter(span.label for document in train for _, span in document.spans)
    rare = {label for label, count in spans.items() if count < arguments.rare}
    print(
        f"pool: {len(train)} documents, {spans.total():,} spans; queries: {len(asked)} documents of {arguments.queries}"
    )
    print(f"rare: {', '.join(f'{label} {spans[label]}' for label in sorted(rare))}")
    with tempfile.TemporaryDirectory() as folder:
        pool = Path(folder) / "pool.jsonl"
        write_documents(pool, train)
        for unit in arguments.units:
            queries = list(queries_of(asked, Chunker(tokens=UNITS[unit])))
            figures: dict[tuple[str, int], Figures] = defaultdict(Figures)
            for way in arguments.ways:
                for seed in range(SEEDS if way == "random" else 1):
                    seeded = [f"examples.strategy.seed={seed}"] if way == "random" else []
                    cache = Path(folder) / "cache"
                    examples = examples_by(way, pool, UNITS[unit], cache, *seeded, *arguments.overrides)
                    for query in queries:
                        shown = examples.select(query.text, query.document)
                        for k in KS:
                            add(figures[way, k], query, shown[-k:], rare)
            chunks = f"{len(queries):,} chunks, {sum(len(query.mentions) for query in queries):,} mentions"
            table(f"{unit}: {chunks}; the pool has {examples.figures()['pool']['examples']:,} chunks", dict(figures))


if __name__ == "__main__":
    main()
