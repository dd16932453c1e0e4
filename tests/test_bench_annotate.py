"""The benchmarks of the annotate stage, at sizes that show only that they work and that nothing gets lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.stages import REPOSITORY


def rows_of(benchmark: str) -> list[dict[str, str]]:
    """The table that a benchmark prints, a row a mapping by column."""
    command = [sys.executable, "scripts/bench_annotate.py", benchmark, "--quick"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert f"scripts/bench_annotate.py {benchmark} --quick`" in run.stdout.splitlines()[0]
    lines = [line.strip("|").split("|") for line in run.stdout.splitlines() if line.startswith("|")]
    columns, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.slow
def test_throughput_is_told_beside_its_limits() -> None:
    rates = {row[""]: float(row["requests a second"].replace(",", "")) for row in rows_of("throughput")}
    assert rates["limit of the pool: 64 / 0.1 s"] == 640
    assert 0 < rates["300, by report.json"] < 640
    assert {"their difference", "limit of one core: 1 / CPU a request"} < rates.keys()


@pytest.mark.slow
def test_memory_is_told_for_each_size() -> None:
    rows = rows_of("memory")
    assert [row["documents"] for row in rows] == ["100", "300"]
    assert all(10 < float(row["peak MB"]) < 1000 for row in rows)


@pytest.mark.slow
def test_a_server_with_faults_costs_no_document() -> None:
    undisturbed, disturbed = rows_of("faults")
    assert undisturbed["faults"] == "none"
    assert "stalled" in disturbed["faults"]
    assert int(disturbed["requests"]) > int(undisturbed["requests"])
    assert undisturbed["documents lost"] == disturbed["documents lost"] == "0"


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_loses_nothing() -> None:
    (row,) = rows_of("kills")
    assert int(row["kills"]) > 0
    assert row["documents lost"] == "0"
    assert row["output"] == "documents.jsonl identical"
