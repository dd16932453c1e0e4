"""The review stage, as a user runs it, with a real Label Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.outbox import keep, waiting
from tests.label_studio.reviewing import Reviewers
from tests.label_studio.server import Server
from tests.stages import Run, fail, run_stage, succeed

TEXT = "Aspirin caused acute gastric bleeding."
CHEMICAL, DISEASE = Span(0, 7, "Chemical"), Span(15, 37, "Disease")


def write(path: Path, **spans: tuple[Span, ...]) -> Path:
    """A file of documents with these ids."""
    write_documents(path, [Document(name, (Section("abstract", TEXT, own),)) for name, own in spans.items()])
    return path


def sure(span: Span, score: float) -> Span:
    return Span(span.start, span.end, span.label, score)


class Stage:
    """The review stage in a folder, with the schema, the server and the token that the tests have."""

    def __init__(self, server: Server, folder: Path, title: str) -> None:
        self.given = [
            "schema=bc5cdr", f"label_studio.url={server.url}", "label_studio.api_key_env=TEST_LS_TOKEN",
            f"label_studio.title={title}", f"out={folder / 'review'}",
        ]  # fmt: skip
        self.environment = {"TEST_LS_TOKEN": server.token}

    def run(self, action: str, *arguments: str) -> Run:
        return succeed("review", action, *self.given, *arguments, environment=self.environment)

    def fail(self, action: str, *arguments: str) -> str:
        return fail("review", action, *self.given, *arguments, environment=self.environment)


def url_in(printed: str) -> str:
    return next(word for word in printed.split() if "/projects/" in word)


def test_the_action_is_the_first_word(tmp_path: Path) -> None:
    helped = run_stage("review", "--help").printed
    assert "python -m kazu_distill.review push|pull|status" in helped
    assert run_stage("review", "pull", "--help").printed == helped.replace("action: null", "action: pull")
    assert "no such action; say python -m kazu_distill.review push|pull|status" in fail("review", "pul")
    assert "push|pull|status" in fail("review", f"out={tmp_path}")
    assert "label_studio=off: there is no review" in fail("review", "pull", "label_studio=off", f"out={tmp_path}")


def test_what_makes_no_sense_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    documents = write(tmp_path / "documents.jsonl", a=(CHEMICAL,))
    given = ["schema=bc5cdr", f"documents.path={documents}", f"out={tmp_path}"]
    assert "version is not set" in fail("review", "push", *given)
    assert "choose one of given, uncertainty" in fail("review", "push", *given, "version=llm", "order=best")
    assert "others.path" in fail("review", "push", *given, "version=llm", "order=disagreement")
    assert "kazu_distill.suspects" in fail("review", "push", *given, "version=llm", "order=suspects")
    assert "first=0: give a whole number above 0" in fail("review", "push", *given, "version=llm", "first=0")
    assert "choose latest, majority or person" in fail("review", "pull", *given, "policy=newest")


@pytest.mark.label_studio
def test_the_whole_loop(server: Server, tmp_path: Path) -> None:
    stage = Stage(server, tmp_path, "the whole loop")
    llm = write(
        tmp_path / "llm.jsonl",
        sure=(CHEMICAL,),
        doubtful=(sure(CHEMICAL, 0.5), sure(DISEASE, 0.6)),
        even=(sure(DISEASE, 0.5),),
    )
    assert 'there is no project "the whole loop"' in stage.fail("pull")
    printed = stage.run("push", f"documents.path={llm}", "version=llm", "order=uncertainty", "first=2").printed
    assert "2 of 3 documents as llm: 2 sections" in printed
    student = write(tmp_path / "student.jsonl", doubtful=(CHEMICAL,), even=(CHEMICAL,))
    stage.run("push", f"documents.path={student}", "version=student", "order=disagreement", f"others.path={llm}")
    people = Reviewers(server, url_in(printed))
    tasks = people.tasks()
    assert [task["data"]["document"] for task in tasks] == ["doubtful", "even"]
    both = Section("abstract", TEXT, (CHEMICAL, DISEASE))
    started = next(each["id"] for each in tasks[0]["predictions"] if each["model_version"] == "llm")
    people.submit(tasks[0]["id"], both, person="ada@example.org", parent_prediction=started)
    people.submit(tasks[0]["id"], Section("abstract", TEXT, (CHEMICAL,)), person="bob@example.org")
    people.submit(tasks[1]["id"], was_cancelled=True)
    people.close()

    status = stage.run("status", "outbox=nowhere").printed
    for wanted in ("annotated 1", "skipped 1", "ada@example.org", "ada@example.org and bob@example.org", "66.7"):
        assert wanted in status
    assert not (tmp_path / "review/documents.jsonl").exists()

    stage.run("pull", "policy=person", "by=ada@example.org")
    (gold,) = read_documents(tmp_path / "review/documents.jsonl")
    assert [span.place for _, span in gold.spans] == [CHEMICAL.place, DISEASE.place]
    report: dict[str, Any] = json.loads((tmp_path / "review/review.json").read_text())
    assert report["model_versions"] == {"llm": 2, "student": 2}
    assert report["started_from"] == {"llm": 1, "nothing": 1}
    (pair,) = report["agreement"]
    assert (pair["annotators"], pair["sections"]) == (["ada@example.org", "bob@example.org"], 1)
    assert pair["f1"] == pytest.approx(2 / 3)
    assert pair["f1_per_class"] == {"Chemical": 1.0, "Disease": 0.0}
    stage.run("pull", "policy=majority")
    (gold,) = read_documents(tmp_path / "review/documents.jsonl")
    assert [span.place for _, span in gold.spans] == [CHEMICAL.place]
    assert server.token not in "".join(path.read_text(errors="replace") for path in (tmp_path / "review").iterdir())

    reviewed = tmp_path / "review/documents.jsonl"
    for name, predicted, f1 in (("llm", llm, 2 / 3), ("student", student, 1.0)):
        out = tmp_path / name
        given = [f"gold.path={reviewed}", f"predicted.path={predicted}", f"only={reviewed}", f"out={out}"]
        succeed("evaluate", "schema=bc5cdr", *given)
        assert json.loads((out / "metrics.json").read_text())["micro_f1"] == pytest.approx(f1)


@pytest.mark.label_studio
def test_what_a_run_could_not_show_is_sent_and_gold_is_no_opinion(server: Server, tmp_path: Path) -> None:
    outbox, title = tmp_path / "label_studio", "kazu_distill a run"
    documents = list(read_documents(write(tmp_path / "eval.jsonl", a=(CHEMICAL,), b=(DISEASE,))))
    keep(outbox, documents, model_version="step 10", title=title)
    keep(outbox, documents, model_version=None, title=title)
    stage = Stage(server, tmp_path, "another title")
    assert "waiting" not in stage.run("push", f"outbox={outbox}").printed
    assert waiting(outbox) == []
    assert "nothing waits there" in stage.run("push", f"outbox={outbox}").printed
    own = Stage(server, tmp_path, title)
    own.run("pull")
    assert (tmp_path / "review/documents.jsonl").read_bytes() == b""
    assert json.loads((tmp_path / "review/review.json").read_text())["pushed_gold"] == 2
    own.run("pull", "pushed_gold=true")
    again = read_documents(tmp_path / "review/documents.jsonl")
    assert [[span.place for _, span in each.spans] for each in again] == [[CHEMICAL.place], [DISEASE.place]]


@pytest.mark.label_studio
def test_gold_is_pushed_as_ground_truth(server: Server, tmp_path: Path) -> None:
    stage = Stage(server, tmp_path, "ground truth")
    gold = write(tmp_path / "gold.jsonl", a=(CHEMICAL,))
    people = Reviewers(server, url_in(stage.run("push", f"gold.path={gold}").printed))
    ((annotation,),) = [task["annotations"] for task in people.tasks()]
    assert annotation["ground_truth"]
    people.close()
