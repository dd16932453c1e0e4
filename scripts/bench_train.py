"""How fast the tagger is trained, beside Kazu's Trainer and a plain ``transformers`` Trainer.

    python scripts/bench_train.py --data runs/split --kazu-python .venv-kazu/bin/python
    python scripts/bench_train.py --data runs/split --kazu-python … --rounds 1 --epochs 8 --gold runs/split/test.jsonl
    python scripts/bench_train.py --shape bert-base --random-weights --length 512 --peak-tflops 989

``--data`` holds train.jsonl and eval.jsonl of ``kazu_distill.split``. Each program trains from the same weights on the
same documents in a process of its own, one after the other, ``--rounds`` times. Tokens are those of real text, without
padding and special tokens; where windows overlap they count in each. Time is that of training steps: without loading,
the first ``--warm-up`` steps, evaluations, and what is saved at them. Ratios are of runs of the same round.

Kazu and the plain recipe get ``--batch-size`` windows a batch, and as their learning rate that of our encoder's
configuration. With ``--gold`` every model is scored on those documents by strict F1: all by our windows and decoding at
probability .5, Kazu's by its own NER step besides. Ours is the best of its epochs on eval.jsonl, with the thresholds
tuned there as they are by default; that of the others is the last.

The third command is for a GPU: see ``bench_shape.py``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_jobs import Trained, TrainJob
from bench_models import f1_by_kazu, f1_by_us, folder_of, labels_of
from bench_runs import Program, kazu, machine, ours, plain, rate_cells, rate_columns, spread, table
from bench_shape import SHAPES, shape_table

from kazu_distill.document_files import read_documents, write_documents


def measured(programs: list[Program], options: argparse.Namespace, folder: Path) -> dict[str, list[Trained]]:
    """What the trainings of each program took, round by round."""
    taken: dict[str, list[Trained]] = {program.name: [] for program in programs}
    data = folder / "data"
    for part in ("train", "eval"):
        documents = list(read_documents(options.data / f"{part}.jsonl"))
        write_documents(data / f"{part}.jsonl", documents[: options.documents])
    encoder, learning_rate = folder_of(options.encoder)
    for number in range(options.rounds):
        for program in programs:
            own = folder / program.script.removesuffix(".py") / str(number)
            job = TrainJob(
                encoder=encoder,
                data=str(data),
                out=str(own / "run"),
                labels=labels_of(options.schema),
                epochs=options.epochs,
                batch_size=options.batch_size,
                max_length=options.length,
                stride=64,
                learning_rate=options.learning_rate or learning_rate,
                seed=options.seed + number,
                warm_up=options.warm_up,
                overrides=[f"schema={options.schema}", f"encoder={options.encoder}", *options.ours],
            )
            taken[program.name].append(program.run(job, Trained, own))
            print(f"<!-- {program.name}, round {number + 1}: {taken[program.name][-1]} -->", flush=True)
    return taken


def speeds(taken: dict[str, list[Trained]]) -> str:
    """The table of speeds, ours first."""
    cells = rate_cells(taken, lambda run: run.tokens)
    rows = [
        [
            name,
            *cells[name],
            f"{sum(run.tokens for run in runs) / sum(run.input_tokens for run in runs):.0%}",
            f"{sum(run.tokens for run in runs) / sum(run.steps for run in runs):,.0f}",
        ]
        for name, runs in taken.items()
    ]
    return table(["", *rate_columns("tokens", next(iter(taken))), "input that is text", "tokens a step"], rows)


def scores(
    programs: list[Program], taken: dict[str, list[Trained]], options: argparse.Namespace, folder: Path
) -> Iterator[list[str]]:
    """Rows of strict micro F1, in percent."""
    for program in programs:
        models = [Path(run.model) for run in taken[program.name]]
        by_us = [f1_by_us(model, options, folder) for model in models]
        yield [program.name, "ours", spread([100 * each for each in by_us])]
        if program.script == "kazu_peer.py":
            by_kazu = [f1_by_kazu(program, model, options, folder) for model in models]
            yield [program.name, "its own NER step", spread([100 * each for each in by_kazu])]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with train.jsonl and eval.jsonl")
    parser.add_argument("--schema", default="bc5cdr", help="a name in conf/schema")
    parser.add_argument("--encoder", default="minilm", help="a name in conf/encoder that needs no hub")
    parser.add_argument("--kazu-python", type=Path, metavar="PYTHON", help="of scripts/kazu_environment.sh")
    parser.add_argument("--gold", type=Path, help="documents to score the models on")
    parser.add_argument("--documents", type=int, metavar="MOST", help="documents of each part that are used")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=16, help="windows, of Kazu and of the plain recipe")
    parser.add_argument("--length", type=int, default=512, help="tokens of a window")
    parser.add_argument("--learning-rate", type=float, help="of Kazu and of the plain recipe")
    parser.add_argument("--warm-up", type=int, default=2, metavar="STEPS")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--ours", action="append", default=[], metavar="KEY=VALUE", help="a setting for our training")
    parser.add_argument("--shape", choices=SHAPES, help="measure an encoder of this shape alone, on invented text")
    parser.add_argument("--random-weights", action="store_true", help="what --shape has, since nothing is downloaded")
    parser.add_argument("--peak-tflops", type=float, help="of the card in bf16, for the share of it that is used")
    options = parser.parse_args()
    if options.shape is None and options.data is None:
        parser.error("--data or --shape is needed")
    if bool(options.shape) != options.random_weights:
        parser.error("--shape and --random-weights go together")
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.shape:
            print(shape_table(options, folder))
            return
        programs = [ours(), plain("plain transformers")]
        if options.kazu_python:
            programs.append(kazu(options.kazu_python))
        taken = measured(programs, options, folder)
        print(speeds(taken))
        if options.gold:
            columns = ["trained by", "decoded by", "strict micro F1, %"]
            print(table(columns, scores(programs, taken, options, folder)))


if __name__ == "__main__":
    main()
