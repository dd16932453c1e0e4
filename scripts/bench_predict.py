"""How fast documents are labelled, beside Kazu's NER step and the token-classification pipeline of ``transformers``.

    python scripts/bench_predict.py speed --model runs/io/model --documents test.jsonl --kazu-python PYTHON
    python scripts/bench_predict.py agreement --model runs/io/model --documents test.jsonl --kazu-python PYTHON
    python scripts/bench_predict.py growth --model runs/io/model --documents test.jsonl

``--model`` is one of ours that was trained with ``labels.scheme=io``: Kazu and the pipeline load the same folder.
Documents are cut out of the text of ``--documents``, files of ours, with other borders. Every run is a process of its
own, one after the other, ``--rounds`` times; time is that of reading, labelling and writing the documents, after 16
others to warm up, and without loading the model. Words stand between white space. Ratios are of runs of one round.

All have windows of 512 tokens that share 64. Kazu gets 10 documents at a time, as its own scripts do, and batches of
16 windows; the pipeline has ``--pipeline-batch`` windows. Exported models: ``--runtimes torch onnx int8``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from bench_jobs import Predicted, PredictJob
from bench_runs import Program, kazu, machine, ours, plain, rate_cells, rate_columns, table
from bench_texts import write_texts

from kazu_distill.document_files import read_documents

_SHORT, _LONG = 100, 8000  # words
_GROWTH_WORDS = 100_000
Bench = Callable[[argparse.Namespace, Path], str]
Contender = tuple[Program, dict[str, Any]]
"""A program, and what its jobs have that others' have not."""


def speed(options: argparse.Namespace, folder: Path) -> str:
    """Documents a second, short and long ones."""
    tables = []
    for words, documents in ((_SHORT, options.short), (_LONG, options.long)):
        texts = write_texts(folder / f"{words}.jsonl", options.documents, documents=documents, words=words)
        taken: dict[str, list[Predicted]] = {}
        for number in range(options.rounds):
            for program, settings in contenders(options):
                run = predicted(program, options, folder, texts, f"{words}-{number}", **settings)[0]
                taken.setdefault(program.name, []).append(run)
                print(f"<!-- {program.name}, {words} words, round {number + 1}: {run} -->", flush=True)
        title = f"{documents:,} documents of {words:,} words"
        tables.append(speed_table(title, taken))
    return "\n".join(tables)


def speed_table(title: str, taken: dict[str, list[Predicted]]) -> str:
    """Rates of each program, and how many times better the first is than each of the others."""
    columns = [title, *rate_columns("documents", next(iter(taken)))]
    cells = rate_cells(taken, lambda run: run.documents, digits=2)
    return table(columns, ([name, *own] for name, own in cells.items()))


def agreement(options: argparse.Namespace, folder: Path) -> str:
    """Entities of each program against those of ours in fp32, one text at a time."""
    texts = write_texts(folder / "short.jsonl", options.documents, documents=options.short, words=_SHORT)
    long = write_texts(folder / "long.jsonl", options.documents, documents=options.long, words=_LONG)
    alone = ours("ours, fp32, one text at a time")
    everyone: list[Contender] = [
        (alone, {"precision": "fp32", "one_by_one": True}),
        (ours("ours, fp32"), {"precision": "fp32"}),
        *contenders(options),
    ]
    rows = []
    for name, file in ((f"{options.short:,} × {_SHORT:,} words", texts), (f"{options.long:,} × {_LONG:,} words", long)):
        wanted: list[set[Any]] | None = None
        for program, settings in everyone:
            found = entities(predicted(program, options, folder, file, f"{file.stem}-{program.name}", **settings)[1])
            if wanted is None:
                wanted = found
            rows.append([name, program.name, *differences(wanted, found)])
    columns = ["documents", "labelled by", "entities", "missing", "added", "documents identical"]
    return table(columns, rows)


def entities(predictions: Path) -> list[set[Any]]:
    """Places and classes, a set a document."""
    return [
        {(span.start, span.end, span.label) for _, span in document.spans} for document in read_documents(predictions)
    ]


def differences(wanted: Sequence[set[Any]], found: Sequence[set[Any]]) -> list[str]:
    """Entities, how many of the wanted ones are missing, how many are added, and the documents without either."""
    pairs = list(zip(wanted, found, strict=True))
    return [
        f"{sum(map(len, found)):,}",
        f"{sum(len(gold - own) for gold, own in pairs):,}",
        f"{sum(len(own - gold) for gold, own in pairs):,}",
        f"{sum(gold == own for gold, own in pairs):,} of {len(pairs):,}",
    ]


def growth(options: argparse.Namespace, folder: Path) -> str:
    """What work costs as it grows: more documents, and longer ones."""
    by_number = [(number, _SHORT) for number in (100, 1000, 10_000)]
    by_length = [(_GROWTH_WORDS // words, words) for words in (1000, 10_000, 50_000)]
    rows = []
    for documents, words in [*by_number, *by_length]:
        documents = max(1, int(documents * options.scale))
        name = f"{documents}x{words}"
        texts = write_texts(folder / f"{name}.jsonl", options.documents, documents=documents, words=words)
        for program, settings in contenders(options):
            run = predicted(program, options, folder, texts, f"{name}-{program.name}", **settings)[0]
            rows.append([f"{documents:,}", f"{words:,}", program.name, *costs(run)])
            print(f"<!-- {' '.join(rows[-1])} -->", flush=True)
    columns = ["documents", "words in each", "", "seconds", "µs a word", "CPU µs a word", "peak MB"]
    return table(columns, rows)


def costs(run: Predicted) -> list[str]:
    """Seconds, time of a word, and memory."""
    per_word = [1e6 * seconds / run.words for seconds in (run.seconds, run.cpu_s)]
    return [f"{run.seconds:.1f}", *(f"{each:.1f}" for each in per_word), f"{run.peak_bytes / 1e6:,.0f}"]


def contenders(options: argparse.Namespace) -> Iterator[Contender]:
    """Ours by each runtime, and the others that are wanted."""
    for runtime in options.runtimes:
        yield ours(f"ours, {runtime}"), {"runtime": runtime}
    if options.peers:
        yield plain("pipeline"), {"batch_size": options.pipeline_batch}
    if options.peers and options.kazu_python:
        yield kazu(options.kazu_python), {}


def predicted(
    program: Program,
    options: argparse.Namespace,
    folder: Path,
    documents: Path,
    name: str,
    *,
    batch_size: int = 0,
    runtime: str = "torch",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    one_by_one: bool = False,
) -> tuple[Predicted, Path]:
    """What it took a program to label documents, and the file that it wrote."""
    own = folder / f"{program.script.removesuffix('.py')}-{runtime}-{name}".replace(" ", "-")
    own.mkdir()
    job = PredictJob(
        model=str(options.model.resolve()),
        documents=str(documents),
        out=str(own / "predicted.jsonl"),
        max_length=options.length,
        stride=64,
        batch_size=batch_size,
        warm_up=str(write_texts(folder / "warm-up.jsonl", options.documents, documents=16, words=_SHORT)),
        runtime=runtime,
        precision=precision,
        one_by_one=one_by_one,
    )
    return program.run(job, Predicted, own), own / "predicted.jsonl"


def main() -> None:
    """Run a benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    benches: dict[str, Bench] = {bench.__name__: bench for bench in (speed, agreement, growth)}
    for name, bench in benches.items():
        command = commands.add_parser(name, help=bench.__doc__)
        command.add_argument("--model", type=Path, required=True, help="a folder that our training wrote, scheme io")
        command.add_argument("--documents", type=Path, required=True, help="documents of ours with real text")
        command.add_argument("--runtimes", nargs="+", default=["torch"], metavar="RUNTIME")
        command.add_argument("--length", type=int, default=512, help="tokens of a window; the model's own")
        if name == "growth":
            command.add_argument("--scale", type=float, default=1.0, help="a share of the documents, to try it")
            command.set_defaults(peers=False)
            continue
        command.set_defaults(peers=True)
        command.add_argument("--kazu-python", type=Path, metavar="PYTHON", help="of scripts/kazu_environment.sh")
        command.add_argument("--pipeline-batch", type=int, default=1, metavar="WINDOWS")
        command.add_argument("--rounds", type=int, default=3)
        command.add_argument("--short", type=int, default=300, help=f"documents of {_SHORT} words")
        command.add_argument("--long", type=int, default=6, help=f"documents of {_LONG:,} words")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        print(benches[options.benchmark](options, Path(folder)))


if __name__ == "__main__":
    main()
