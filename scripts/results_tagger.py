"""What label scheme, thresholds and seeds are worth: strict F1 of taggers trained on the same documents.

    python scripts/results_tagger.py --schema bionlp13cg --train train.jsonl --eval eval.jsonl --test test.jsonl \
        --schemes bio io --seeds 1 2 3

Files are JSONL documents, as `annotate`, `split` and `predict` write them. Each tagger is trained on `train`, selected
and its thresholds tuned on `eval`, and scored once on `test`, with thresholds as tuned and with all at 0.5. A line of
JSON a tagger goes to --out; the table with means over seeds is printed at the end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document
from kazu_distill.schema import Schema
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.stage import shipped_config
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.tagger import Tagger
from kazu_distill.tagger.training import findable, train_tagger

FIGURES = ("micro_precision", "micro_recall", "micro_f1", "mean_f1")


def main() -> None:
    """Train, score and print."""
    options = _options()
    runs = []
    with initialize_config_dir(str(shipped_config()), version_base="1.3"):
        for scheme, seed in product(options.schemes, options.seeds):
            runs.append(run_tagger(options, scheme, seed))
            print(json.dumps(runs[-1]), flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(runs[-1]) + "\n")
    _print_table(runs)


def run_tagger(options: argparse.Namespace, scheme: str, seed: int) -> dict[str, Any]:
    """Train and score one tagger."""
    config = compose("train", [f"schema={options.schema}", f"encoder={options.encoder}", f"seed={seed}", *options.set])
    schema: Schema = instantiate(config.schema)
    settings = instantiate(config.tagger)
    evaluation = findable(read_documents(options.eval, labels=schema.labels), threshold=settings.threshold)
    test = list(read_documents(options.test, labels=schema.labels))

    def score(_: int, __: float, labelled: Sequence[Document]) -> dict[str, float]:
        return {"mean_f1": _metrics(evaluation, labelled, schema)["mean_f1"] or 0.0}

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        trained = train_tagger(
            encoder=instantiate(config.encoder),
            schema=schema,
            scheme=label_scheme(scheme, schema.labels),
            settings=settings,
            trainer=instantiate(config.trainer, _convert_="all"),
            train=[options.train],
            evaluation=evaluation,
            score=score,
            on_step=lambda step, total: None,  # noqa: ARG005
            out=Path(folder),
        )
    seconds = time.perf_counter() - started
    tuned = replace(trained.parts, settings=instantiate(config.thresholds).tuned(trained.tagger, evaluation))
    figures = {}
    for name, parts in (("at 0.5", trained.parts), ("tuned", tuned)):
        tagger = Tagger(runtime=trained.tagger.runtime, parts=parts)
        metrics = _metrics(test, list(tagger.label(test)), schema)
        figures[name] = {figure: round(float(metrics[figure] or 0.0), 4) for figure in FIGURES}
    return {"scheme": scheme, "seed": seed, "seconds": round(seconds), "best_step": trained.best_step, **figures}


def _metrics(gold: Sequence[Document], labelled: Sequence[Document], schema: Schema) -> Metrics:
    return metrics_of(strict_counts(paired(list(gold), list(labelled)), schema.labels))


def _print_table(runs: Sequence[dict[str, Any]]) -> None:
    print("| scheme | thresholds | precision | recall | micro F1 | mean F1 | seeds | seconds a run |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scheme, name in product(dict.fromkeys(run["scheme"] for run in runs), ("at 0.5", "tuned")):
        own = [run for run in runs if run["scheme"] == scheme]
        cells = [mean_and_spread([run[name][figure] for run in own]) for figure in FIGURES]
        seconds = statistics.mean(run["seconds"] for run in own)
        print(f"| {scheme} | {name} | {' | '.join(cells)} | {len(own)} | {seconds:.0f} |")


def mean_and_spread(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", required=True)
    for part in ("train", "eval", "test"):
        parser.add_argument(f"--{part}", type=Path, required=True)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--schemes", nargs="+", default=["bio", "io"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--out", type=Path, help="a line of JSON a tagger is added to this file")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the train configuration")
    return parser.parse_args()


if __name__ == "__main__":
    main()
