"""Jobs of a sweep are ranked by what they left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kazu_distill.scoring.evaluation import evaluate
from kazu_distill.scoring.model_figures import ModelFigures, figures_from_json
from kazu_distill.scoring.pairs import Pair
from kazu_distill.scoring.report.comparison_page import write_sweep
from kazu_distill.scoring.report.sweep_markdown import sweep_markdown
from kazu_distill.scoring.sweep import JOB, SweepRanking, rank_jobs, read_jobs, save_job
from tests.scoring.report_pages import LABELS, Parsed, pair
from tests.scoring.test_report import HOSTILE

MODEL = ModelFigures("m", "torch, cpu, 2 threads", 22_600_000, 90_300_000, 1000, 200_000, 100.0, 180.0)


def pairs(right: int) -> list[Pair]:
    """Ten documents, so many of them right."""
    said = [("Aspirin", "chemical"), ("acute renal failure", "disease")]
    return [pair(str(number), said, said if number < right else []) for number in range(10)]


def job(
    folder: Path, name: str, right: int, settings: Sequence[str], *, gold: int = 10, model: ModelFigures | None = MODEL
) -> None:
    """A job that is done."""
    own = pairs(right)[:gold]
    (folder / name).mkdir()
    evaluation = evaluate(own, LABELS, seed=1, resamples=50)
    intervals = {key: asdict(interval) for key, interval in evaluation.intervals.items()}
    (folder / name / "metrics.json").write_text(json.dumps({"intervals_95": intervals}))
    if model:
        (folder / name / "model.json").write_text(json.dumps(model.as_json()))
    save_job(folder / name, settings, own, LABELS)


def ranked(folder: Path, *, since: float = 0.0) -> SweepRanking:
    """The ranking of what lies there."""
    return rank_jobs(read_jobs(folder, since=since), seed=1, resamples=200)


def test_the_best_comes_first_with_what_the_others_are_behind(tmp_path: Path) -> None:
    for number, right in enumerate((5, 9, 8)):
        job(tmp_path, str(number), right, [f"model=m{right}", "device=cpu"])
    ranking = ranked(tmp_path)
    assert [each.name for each in ranking.jobs] == ["m9", "m8", "m5"]
    assert (ranking.documents, ranking.labels, ranking.same_gold) == (10, LABELS, True)
    assert ranking.jobs[0].figures["mean_f1"] == pytest.approx(18 / 19)
    assert ranking.jobs[0].differences is None
    behind = ranking.jobs[2].differences
    assert behind
    low, high = behind["mean_f1"].low, behind["mean_f1"].high
    assert low is not None
    assert high is not None
    assert low < ranking.jobs[2].figures["mean_f1"] - ranking.jobs[0].figures["mean_f1"] < high < 0  # type: ignore[operator]


def test_ten_jobs_stand_in_the_order_of_their_numbers_if_they_are_equal(tmp_path: Path) -> None:
    for number in range(11):
        job(tmp_path, str(number), 5, [f"model={number}"])
    assert [each.name for each in ranked(tmp_path).jobs] == [str(number) for number in range(11)]


def test_what_an_earlier_sweep_left_is_not_of_this_one(tmp_path: Path) -> None:
    job(tmp_path, "0", 5, ["model=a"])
    job(tmp_path, "1", 6, ["model=b"])
    os.utime(tmp_path / "1" / JOB, (1000, 1000))
    assert [each.model for each in ranked(tmp_path, since=2000).jobs] == [MODEL]
    os.utime(tmp_path / "0/model.json", (1000, 1000))
    assert [each.model for each in ranked(tmp_path, since=2000).jobs] == [None], "predictions of a file have no model"


def test_jobs_are_named_by_what_tells_them_apart(tmp_path: Path) -> None:
    job(tmp_path, "0", 9, ["model=a", "runtime=torch", "seed=1"])
    job(tmp_path, "1", 8, ["model=a", "runtime=int8", "seed=1"])
    job(tmp_path, "2", 7, ["model=b", "runtime=torch", "seed=1"])
    names = [each.name for each in ranked(tmp_path).jobs]
    assert names == ["model=a, runtime=torch", "model=a, runtime=int8", "model=b, runtime=torch"]


def test_other_gold_is_said_and_has_no_difference(tmp_path: Path) -> None:
    job(tmp_path, "0", 9, ["gold.path=a"])
    job(tmp_path, "1", 7, ["gold.path=b"], gold=8)
    ranking = ranked(tmp_path)
    assert not ranking.same_gold
    assert ranking.jobs[1].differences is None
    assert "cannot be set side by side" in sweep_markdown(ranking)


def test_the_table_in_markdown(tmp_path: Path) -> None:
    job(tmp_path, "0", 9, ["model=a"], model=replace(MODEL, price_per_hour=0.5))
    job(tmp_path, "1", 5, ["model=`|<b>"], model=replace(MODEL, parameters=None, documents=10))
    job(tmp_path, "2", 4, ["model=c"], model=None)
    page = sweep_markdown(ranked(tmp_path))
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `a` | 94.7 |")
    assert rows[0].endswith("| 22.6 | 90.3 | 10 | 27.8 | 13.89 |")
    assert "<b>" not in rows[1].replace("`` `\\|<b> ``", "")
    assert rows[1].endswith("| – | 90.3 | 0.1* | 2,778 | – |")
    assert rows[2].endswith("| – | – | – | – | – |")
    assert "too little to rely on" in page


def test_the_page_shows_all_of_them_and_no_name_becomes_markup(tmp_path: Path) -> None:
    job(tmp_path, "0", 9, ["model=a"])
    job(tmp_path, "1", 5, [f"model={HOSTILE}"], model=replace(MODEL, seconds=1.0))
    job(tmp_path, "2", 0, ["model=c"], model=None)
    write_sweep(tmp_path / "comparison.html", ranked(tmp_path))
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "<script" not in page
    assert "script-src 'none'" in page
    text = Parsed(page).text
    assert "Best by mean F1: a, 94.7 %" in text
    assert HOSTILE in text
    assert "Quality against time" in text


def test_one_model_alone_is_a_page_too(tmp_path: Path) -> None:
    job(tmp_path, "0", 9, ["model=a"])
    ranking = ranked(tmp_path)
    assert [each.name for each in ranking.jobs] == ["a"]
    write_sweep(tmp_path / "comparison.html", ranking)
    assert "1 model of a sweep" in (tmp_path / "comparison.html").read_text(encoding="utf-8")


def test_a_model_that_finds_nothing_and_no_gold_are_ranked(tmp_path: Path) -> None:
    job(tmp_path, "0", 0, ["model=a"])
    ranking = ranked(tmp_path)
    assert ranking.jobs[0].figures["mean_f1"] == 0
    write_sweep(tmp_path / "comparison.html", ranking)


def test_speed_and_cost() -> None:
    figures = replace(MODEL, price_per_hour=0.36)
    assert figures.documents_per_second == 10
    assert figures.words_per_second == 2000
    assert figures.hours_per_million == pytest.approx(1_000_000 / 36_000)
    assert figures.cost_per_million == pytest.approx(10)
    assert MODEL.cost_per_million is None
    assert not figures.is_rough
    assert replace(figures, documents=20).is_rough
    assert replace(figures, seconds=0.5).is_rough
    assert figures_from_json(json.loads(json.dumps(figures.as_json()))) == figures
    assert figures.sentence() == (
        "90.3 MB, 22.6 million parameters; 10.0 documents a second (2,000 words, 0.180 CPU seconds a document) on "
        "torch, cpu, 2 threads; a million such documents take 27.8 hours and 10.00 US dollars"
    )
