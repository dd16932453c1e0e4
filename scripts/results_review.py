"""What reviewing k documents is worth: those that a ranking puts first, against as many at random.

    python scripts/results_review.py --schema bc5cdr --silver split/train.jsonl --eval split/eval.jsonl \
        --gold documents.jsonl --test gold/test.jsonl --ranked suspects/documents.jsonl --reviewed 10 25 50 100

Files are JSONL documents. The reviewer is simulated: a reviewed document has the spans that `--gold` gives it in place
of the silver ones, and training takes it as `python -m kazu_distill.train gold=…` does. For each number of documents
and seed two taggers are trained, one with the first so many documents of `--ranked`, one with as many that the seed
drew; selected and tuned on the silver labels of `--eval`; and scored on `--test`, which neither sees. A line of JSON a
tagger goes to --out; the table is printed at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from results_tagger import mean_and_spread, run_tagger

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.splitting.human import with_human
from kazu_distill.stage import shipped_config


def main() -> None:
    """Review, train, score and print."""
    options = _options()
    silver = list(read_documents(options.silver))
    gold = {document.id: document for document in read_documents(options.gold)}
    ranked = [document.id for document in read_documents(options.ranked) if document.id in {own.id for own in silver}]
    runs = []
    with initialize_config_dir(str(shipped_config()), version_base="1.3"), tempfile.TemporaryDirectory() as folder:
        options.train = Path(folder) / "train.jsonl"
        for order, reviewed, seed in _plan(options):
            chosen = ranked if order == "ranked" else _shuffled(ranked, seed)
            corrected = set(chosen[:reviewed])
            mended = list(with_human(silver, [gold[identifier] for identifier in sorted(corrected)]))
            write_documents(options.train, mended)
            run = {
                "order": order,
                "reviewed": reviewed,
                "corrections": sum(len(own.places ^ gold[own.id].places) for own in silver if own.id in corrected),
                **run_tagger(options, options.scheme, seed),
            }
            runs.append(run)
            print(json.dumps(run), flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(run) + "\n")
    _print_table(runs)


def _plan(options: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    for seed in options.seeds:
        yield "none", 0, seed
        for reviewed in options.reviewed:
            yield "ranked", reviewed, seed
            yield "random", reviewed, seed


def _shuffled(identifiers: Sequence[str], seed: int) -> list[str]:
    return random.Random(seed).sample(sorted(identifiers), len(identifiers))


def _print_table(runs: Sequence[dict[str, Any]]) -> None:
    print("| documents reviewed | order | spans corrected | micro F1 | mean F1 | seeds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for key in sorted({(run["reviewed"], run["order"]) for run in runs}):
        own = [run for run in runs if (run["reviewed"], run["order"]) == key]
        corrections = sum(run["corrections"] for run in own) / len(own)
        cells = [mean_and_spread([run["tuned"][figure] for run in own]) for figure in ("micro_f1", "mean_f1")]
        print(f"| {key[0]} | {key[1]} | {corrections:.0f} | {' | '.join(cells)} | {len(own)} |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", required=True)
    for name in ("silver", "eval", "gold", "test", "ranked"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--reviewed", nargs="+", type=int, default=[10, 25, 50, 100], metavar="DOCUMENTS")
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--scheme", default="bio")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--out", type=Path, help="a line of JSON a tagger is added to this file")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the train configuration")
    return parser.parse_args()


if __name__ == "__main__":
    main()
