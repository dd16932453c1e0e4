"""How fast the annotate stage asks, and what it survives: ``python scripts/bench_annotate.py throughput``.

Each benchmark runs the stage as a user does, against the tests' LLM server on this machine, and prints a table in
Markdown. Documents are invented and the same in every run. A quiet machine with two free cores gives figures worth
keeping; ``--quick`` only shows that everything works.
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench_documents import write_documents
from bench_processes import Run, machine, run_to_the_end, run_until_killed, served, stage_command

_DELAY_S = 0.1
_CONCURRENCY = 64
_TIMEOUT_S = 2  # shorter than the server's stall
_FAULTS = {"rate_limited": 0.05, "server_error": 0.02, "dropped": 0.01, "malformed": 0.01, "stalled": 0.01}
_RETRY_AFTER_S = 1
_STALL_S = 30
_MOST_TIMES = 1.5  # the undisturbed time
_SEED = 20  # of the kills
_POOL = f"llm.max_concurrency={_CONCURRENCY}"
Bench = Callable[[Path, bool], str]


def throughput(folder: Path, quick: bool) -> str:
    """Requests a second; the difference of two runs takes away what starting costs."""
    number = 150 if quick else 6000
    runs: list[Run] = []
    rows: list[Sequence[str]] = []
    with served("--delay", str(_DELAY_S)) as server:
        for documents in (number, 2 * number):
            corpus, out = _corpus(folder, documents), folder / f"out-{documents}"
            runs.append(run_to_the_end(stage_command(server, corpus, out, _POOL), out))
            run = runs[-1]
            rows.append([f"{documents:,} documents, with start-up", *_figures(run, documents)])
    first, second = runs
    rate = number / (second.seconds - first.seconds)
    cpu_s = (second.cpu_s - first.cpu_s) / number
    reported = 2 * number / second.report["seconds"]
    limit = _CONCURRENCY / _DELAY_S
    core = 1 / cpu_s
    rows.append(["their difference", "", f"{rate:,.0f}", f"{1000 * cpu_s:.2f}", ""])
    rows.append([f"{2 * number:,}, by report.json", f"{second.report['seconds']:.1f}", f"{reported:,.0f}", "", ""])
    rows.append([f"limit of the pool: {_CONCURRENCY} / {_DELAY_S} s", "", f"{limit:,.0f}", "", ""])
    rows.append(["limit of one core: 1 / CPU a request", "", f"{core:,.0f}", "", ""])
    share = rate / min(limit, core)
    table = _table(["", "seconds", "requests a second", "CPU ms a request", "peak MB"], rows)
    return f"{table}\n{share:.0%} of the lower limit.\n"


def memory(folder: Path, quick: bool) -> str:
    """Peak memory for corpora of three sizes."""
    rows = []
    with served() as server:
        for documents in (100, 300) if quick else (1000, 10_000, 100_000):
            corpus, out = _corpus(folder, documents, characters=120), folder / f"out-{documents}"
            run = run_to_the_end(stage_command(server, corpus, out, _POOL), out)
            rows.append([f"{documents:,}", *_figures(run, documents)])
    return _table(["documents", "seconds", "requests a second", "CPU ms a request", "peak MB"], rows)


def faults(folder: Path, quick: bool) -> str:
    """What a server with faults costs, and whether it costs documents."""
    number = 200 if quick else 12_000
    corpus = _corpus(folder, number)
    chances = [argument for kind, share in _FAULTS.items() for argument in ("--fault", f"{kind}={share}")]
    chances += ["--retry-after", str(_RETRY_AFTER_S), "--stall", str(_STALL_S)]
    rows = []
    runs: list[Run] = []
    written: list[bytes] = []
    for name, settings in (("undisturbed", []), ("disturbed", chances)):
        out = folder / name
        with served("--delay", str(_DELAY_S), *settings) as server:
            run = run_to_the_end(stage_command(server, corpus, out, _POOL, f"llm.timeout_s={_TIMEOUT_S}"), out)
            met = server.statistics
        runs.append(run)
        written.append((out / "documents.jsonl").read_bytes())
        faulty = ", ".join(f"{count:,} {kind}" for kind, count in sorted(met["faults"].items())) or "none"
        asking_s = run.report["seconds"]
        row = [name, f"{run.seconds:.1f}", f"{asking_s:.1f}", f"{met['requests']:,}", faulty, str(_lost(corpus, out))]
        rows.append(row)
    table = _table(["server", "seconds", "without start-up", "requests", "faults", "documents lost"], rows)
    times = runs[1].seconds / runs[0].seconds
    asking_times = runs[1].report["seconds"] / runs[0].report["seconds"]
    return (
        f"{table}\n{times:.2f} times the time, {asking_times:.2f} without start-up (at most {_MOST_TIMES}); "
        f"{_identical(*written)}. In both llm.timeout_s={_TIMEOUT_S}; a stall lasts {_STALL_S} s, "
        f"and a 429 says Retry-After: {_RETRY_AFTER_S}.\n"
    )


def kills(folder: Path, quick: bool) -> str:
    """``kill -9`` at random moments, and the same command again."""
    number, times = (300, 2) if quick else (6000, 20)
    corpus = _corpus(folder, number)
    undisturbed, killed = folder / "undisturbed", folder / "killed"
    with served("--delay", str(_DELAY_S)) as server:
        run = run_to_the_end(stage_command(server, corpus, undisturbed, _POOL), undisturbed)
    chance = random.Random(_SEED)
    # On average they come to three fifths of a run, so that it seldom ends before the last of them.
    longest_s = 2 * 0.6 * run.report["seconds"] / times
    with served("--delay", str(_DELAY_S)) as server:
        command = stage_command(server, corpus, killed, _POOL)
        done = sum(run_until_killed(command, killed, server, chance.uniform(0, longest_s)) for _ in range(times))
        run_to_the_end(command, killed)
        met = server.statistics
    unanswered = met["requests"] - met["distinct"] - met["repeated"]
    same = _identical(*((out / "documents.jsonl").read_bytes() for out in (undisturbed, killed)))
    row = [str(done), f"{number:,}", f"{met['requests']:,}", f"{met['repeated']:,}", f"{unanswered:,}"]
    columns = ["kills", "documents", "requests", "repeated though answered", "repeated as not answered"]
    return _table([*columns, "documents lost", "output"], [[*row, str(_lost(corpus, killed)), same]])


def main() -> None:
    """Run a benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    benches: dict[str, Bench] = {bench.__name__: bench for bench in (throughput, memory, faults, kills)}
    for name, bench in benches.items():
        command = commands.add_parser(name, help=bench.__doc__)
        command.add_argument("--quick", action="store_true", help="small sizes: shows that it works, and no more")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = benches[arguments.benchmark](Path(folder), arguments.quick)
    told = shlex.join(["python", "scripts/bench_annotate.py", *sys.argv[1:]])
    print(f"{machine()}, {datetime.now(UTC):%Y-%m-%d}: `{told}`\n\n{table}")


def _corpus(folder: Path, number: int, characters: int = 1000) -> Path:
    path = folder / f"corpus-{number}.jsonl"
    write_documents(path, number, characters=characters)
    return path


def _figures(run: Run, documents: int) -> list[str]:
    cpu_ms, peak_mb = 1000 * run.cpu_s / documents, run.peak_bytes / 1e6
    return [f"{run.seconds:.1f}", f"{documents / run.seconds:,.0f}", f"{cpu_ms:.2f}", f"{peak_mb:.0f}"]


def _lost(corpus: Path, out: Path) -> int:
    """Documents of the corpus that are not among those that were labelled."""
    asked, labelled = (
        {json.loads(line)["id"] for line in path.open("rb")} for path in (corpus, out / "documents.jsonl")
    )
    return len(asked - labelled)


def _identical(first: bytes, second: bytes) -> str:
    return "documents.jsonl identical" if first == second else "documents.jsonl DIFFERS"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
