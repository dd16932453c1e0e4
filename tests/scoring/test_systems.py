"""Ways of labelling are read out of the folders that their runs left, and ranked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError
from kazu_distill.scoring.model_figures import ModelFigures
from kazu_distill.scoring.pairs import ScoringError
from kazu_distill.scoring.ranking import rank
from kazu_distill.scoring.report.systems_markdown import systems_markdown
from kazu_distill.scoring.report.systems_page import write_systems
from kazu_distill.scoring.system_figures import SystemFigures, figures_of_llm, figures_of_tagger
from kazu_distill.scoring.systems import (
    SystemFolder,
    SystemsRanking,
    candidate_of,
    read_system,
    system_folders,
    systems_json,
)
from tests.scoring.report_pages import LABELS, Parsed, pair
from tests.scoring.test_report import HOSTILE

SAID = [("Aspirin", "chemical"), ("acute renal failure", "disease")]
PAIRS = [pair(str(number), SAID, SAID if number < 6 else SAID[:1]) for number in range(8)]
GOLD, PREDICTED = ([each[side] for each in PAIRS] for side in (0, 1))
MODEL = ModelFigures("m", "torch, cpu", 22_600_000, 90_300_000, 1000, 200_000, 100.0, 180.0)
VOTER = {
    "provider": "local", "model": "m", "asked": 100, "from_store": 0, "input_tokens": 9, "output_tokens": 1,
    "answers_cost_usd": None,
}  # fmt: skip
REPORT: Mapping[str, Any] = {
    "documents": 90, "failed_documents": 10, "failures": {"invalid answer": 3, "server error": 7},
    "answer_faults": {"invalid answer, asked again": 2, "JSON mended": 5}, "mentions": 200,
    "grounding": {"exact": 300, "not_found": 20, "surplus": 4}, "voters": {"m": VOTER}, "seconds": 50.0,
    "stopped": None,
}  # fmt: skip


def llm_run(
    folder: Path, documents: Sequence[Document], failed: Sequence[str] = (), *, kind: str = "invalid answer"
) -> Path:
    """What a run of annotate leaves."""
    folder.mkdir()
    write_documents(folder / "documents.jsonl", documents)
    (folder / "report.json").write_text(json.dumps(REPORT))
    lines = [json.dumps({"document_id": each, "kind": kind}) + "\n" for each in failed]
    (folder / "failed.jsonl").write_text("".join(lines))
    return folder


def tagger_run(folder: Path, documents: Sequence[Document]) -> Path:
    """What evaluate leaves of a model."""
    folder.mkdir()
    write_documents(folder / "predicted.jsonl", documents)
    (folder / "model.json").write_text(json.dumps(MODEL.as_json()))
    return folder


def ranked(*folders: tuple[str, Path]) -> SystemsRanking:
    """The ranking of folders by name."""
    systems = [read_system(SystemFolder(name, folder), GOLD, price_per_hour=None) for name, folder in folders]
    return rank([candidate_of(each, LABELS, seed=1, resamples=100) for each in systems], seed=1, resamples=100)


def hostile_systems(folder: Path) -> SystemsRanking:
    """An LLM and a tagger under names that would be markup."""
    run = llm_run(folder / "llm", PREDICTED)
    (run / "report.json").write_text(json.dumps({**REPORT, "voters": {HOSTILE: {**VOTER, "model": HOSTILE}}}))
    return ranked((HOSTILE, run), ("`|<b>", tagger_run(folder / "tagger", GOLD)))


def llm(
    voter: Mapping[str, Any] | None = None, *, own: float | None = None, home: float | None = None, **report: Any
) -> SystemFigures:
    """The figures of a report that differs in something."""
    report = {**REPORT, "voters": {"m": {**VOTER, **(voter or {})}}, **report}
    return figures_of_llm(report, own_price_per_hour=own, price_per_hour=home)


def test_an_llm_and_a_tagger_stand_in_one_ranking_whatever_the_order_of_their_documents(tmp_path: Path) -> None:
    ranking = ranked(
        ("llm", llm_run(tmp_path / "llm", PREDICTED)), ("tagger", tagger_run(tmp_path / "tagger", GOLD[::-1]))
    )
    assert [(each.name, each.model.kind) for each in ranking.jobs] == [("tagger", "tagger"), ("llm", "LLM")]
    assert ranking.jobs[0].figures["micro_f1"] == 1.0
    assert ranking.jobs[1].figures["micro_f1"] == pytest.approx(28 / 30)
    assert ranking.same_gold
    differences = ranking.jobs[1].differences
    assert differences
    assert differences["mean_f1"].high is not None
    assert differences["mean_f1"].high <= 0


def test_a_document_without_a_usable_answer_counts_as_one_without_spans(tmp_path: Path) -> None:
    failed = ranked(("llm", llm_run(tmp_path / "llm", GOLD[:6], ["6", "7", "another"]))).jobs[0]
    assert failed.model.failed == 2
    assert failed.figures["micro_recall"] == pytest.approx(12 / 16)
    assert failed.figures["micro_precision"] == 1.0


@pytest.mark.parametrize("kind", ["", "not in the store"])
def test_a_document_that_is_missing_for_another_reason_is_named(tmp_path: Path, kind: str) -> None:
    folder = llm_run(tmp_path / "llm", GOLD[:6], ["7"] if kind else [], kind=kind)
    with pytest.raises(ScoringError, match=r'the llm: .* no prediction for 2 of 8 gold documents \("6", "7"\)'):
        ranked(("the llm", folder))


def test_documents_without_gold_are_left_out_and_counted(tmp_path: Path) -> None:
    other = replace(GOLD[0], id="other")
    system = read_system(
        SystemFolder("llm", llm_run(tmp_path / "llm", [other, *GOLD[:7]], ["7"])), GOLD, price_per_hour=None
    )
    assert (system.others, len(system.pairs)) == (1, 8)


def test_another_text_is_an_error_that_names_the_system(tmp_path: Path) -> None:
    other = Document("0", pair("0", [], [], text="another")[0].sections)
    with pytest.raises(ScoringError, match=r'llm: .*document "0".*the predicted text is not the gold one'):
        ranked(("llm", llm_run(tmp_path / "llm", [other, *GOLD[1:]])))


def test_documents_alone_are_scored_without_speed_and_cost(tmp_path: Path) -> None:
    write_documents(tmp_path / "documents.jsonl", GOLD)
    own = ranked(("given", tmp_path)).jobs[0].model
    assert (own.kind, own.documents_per_second, own.cost_per_million) == ("predictions", None, None)


def test_a_folder_of_nothing_and_what_is_no_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"systems.x={tmp_path}: no results are here")):
        read_system(SystemFolder("x", tmp_path), GOLD, price_per_hour=None)
    folder = llm_run(tmp_path / "llm", GOLD)
    (folder / "report.json").write_text('{"documents": 1}')
    with pytest.raises(ConfigError, match=r"report.json is no report of kazu_distill.annotate"):
        read_system(SystemFolder("x", folder), GOLD, price_per_hour=None)
    for given in ("runs", ["a"], {"x": {"folder": "a"}}, {"x": None}, {"x": {"path": "a", "price_per_hour": 0}}):
        with pytest.raises(ConfigError, match="systems"):
            system_folders(given)
    assert system_folders({"a": "b", "c": {"path": "d", "price_per_hour": 2}}) == [
        SystemFolder("a", Path("b")), SystemFolder("c", Path("d"), 2),
    ]  # fmt: skip


def test_shares_of_answers_and_mentions() -> None:
    own = llm()
    assert (own.unreadable, own.answers, own.unreadable_share) == (5, 100, 0.05)
    assert (own.ungrounded, own.mentions, own.ungrounded_share) == (20, 200, 0.1)
    assert llm(mentions=0).ungrounded_share is None


def test_a_speed_that_was_not_measured_is_not_known() -> None:
    assert llm().documents_per_second == 2.0
    assert not llm().is_rough
    assert llm(seconds=1.0).is_rough
    stored = llm({"asked": 0, "from_store": 100})
    for own in (stored, llm({"asked": 0}), llm(stopped="the budget is spent")):
        assert own.documents_per_second is None
        assert own.hours_per_million is None
    assert stored.notes[0] == "100 of 100 answers came out of the store, so its speed is not known"


def test_a_speed_is_of_the_answers_that_were_asked_for() -> None:
    some = llm({"asked": 60, "from_store": 40})
    assert some.documents_per_second == pytest.approx(1.2)
    assert some.notes[0] == "40 of 100 answers came out of the store: its speed is of the others"
    assert llm({"asked": 40, "from_store": 60}).is_rough
    both = {"a": VOTER, "b": {**VOTER, "asked": 25, "from_store": 75}}
    assert llm(voters=both).documents_per_second == pytest.approx(0.5)


def test_tokens_are_paid_for_by_their_price_and_machines_by_their_hours() -> None:
    million_hours = 1_000_000 / 2 / 3600
    assert llm().cost_per_million is None
    assert llm(home=3.6).cost_per_million == pytest.approx(3.6 * million_hours)
    assert llm({"answers_cost_usd": 0.5}, home=3.6).cost_per_million == pytest.approx(5000), "of 100 documents"
    assert llm({"answers_cost_usd": 0.5, "from_store": 99}).cost_per_million == pytest.approx(5000)
    assert llm({"answers_cost_usd": 0.5}, own=7.2).cost_per_million == pytest.approx(7.2 * million_hours)
    assert llm({"provider": "openai"}, home=3.6).cost_per_million is None
    assert llm({"asked": 0, "from_store": 100}, home=3.6).cost_per_million is None
    both = {"a": {**VOTER, "answers_cost_usd": 0.5}, "b": VOTER}
    assert llm(voters=both).cost_per_million is None, "what one of them costs is not known"


def test_a_tagger_keeps_the_price_that_it_was_measured_with() -> None:
    assert figures_of_tagger(MODEL, 0.36).cost_per_million == pytest.approx(10)
    assert figures_of_tagger(replace(MODEL, price_per_hour=0.72), 0.36).cost_per_million == pytest.approx(20)
    assert figures_of_tagger(MODEL, None).cost_per_million is None


def test_no_name_becomes_markup(tmp_path: Path) -> None:
    ranking = hostile_systems(tmp_path)
    write_systems(tmp_path / "systems.html", ranking)
    page = (tmp_path / "systems.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "<script" not in page
    text = Parsed(page).text
    assert text.count(HOSTILE) >= 3
    assert "Best by mean F1: `|<b>, 100.0 %" in text
    markdown = systems_markdown(ranking)
    assert [line for line in markdown.splitlines() if line.startswith("| `` `\\|<b> `` | 100.0 |")]
    assert markdown.count("<b>") == 2, "in code spans alone"
    saved = json.loads(json.dumps(systems_json(ranking)))
    assert [each["name"] for each in saved["systems"]] == ["`|<b>", HOSTILE]
    assert saved["systems"][1]["less_the_best"]["micro_f1"]["difference"] == pytest.approx(28 / 30 - 1)
    assert saved["systems"][1]["ungrounded_share"] == 0.1
