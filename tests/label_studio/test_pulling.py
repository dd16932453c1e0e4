"""What people submit to a real Label Studio comes back as documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.pulled import pulled_tasks
from kazu_distill.label_studio.pulling import pull
from kazu_distill.label_studio.reviewed import ReviewCounts
from tests.label_studio.examples import corpora, marked, project_on
from tests.label_studio.reviewing import Reviewers, pulled_from
from tests.label_studio.server import Server

pytestmark = pytest.mark.label_studio

TEXT = "🧬 BRCA1-mutant cancer: e\u0301tude d’été\r\nof  two\tlines, <b>5</b> &amp; 𝛼-synuclein\u200b in ‏אבג. "
SPANS = marked(
    TEXT,
    ("BRCA1", "gene", 0.5),
    ("BRCA1", "disease", 0.25),
    ("BRCA1-mutant cancer", "disease", 1.0),
    ("mutant", "class 3", 0.125),
    ("cancer: e\u0301tude", "class 4", 0.5),
    (" cancer", "class 5", 0.0),
    ("\r\nof  two\tlines", "class 53", 1.0),
    ("𝛼-synuclein", "gene", 1.0),
    ("אבג", "gene", 1.0),
)
DOCUMENTS = [
    Document("PMID:1/ä", (Section("title", TEXT, SPANS), Section("", ""), Section("body", "No entity here."))),
    Document("PMID:2", (Section("title", TEXT, SPANS[:2]), Section("title", TEXT))),
]


@pytest.fixture(autouse=True)
def token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)


@pytest.fixture
def reviewers(server: Server) -> Iterator[Callable[[str], Reviewers]]:
    made = []

    def of_project(
        title: str, documents: Sequence[Document] = DOCUMENTS, versions: Sequence[str] = ("llm",)
    ) -> Reviewers:
        for version in versions:
            pushed = project_on(server.url, title).push(documents, model_version=version)
        made.append(Reviewers(server, pushed.url))
        return made[-1]

    yield of_project
    for each in made:
        each.close()


def bare(documents: Sequence[Document]) -> list[tuple[str, list[tuple[str, str, list[Any]]]]]:
    """What documents say of their texts; a person is sure, and says a thing once."""
    return [
        (
            document.id,
            [
                (section.name, section.text, list(dict.fromkeys(span.place for span in section.spans)))
                for section in document.sections
            ],
        )
        for document in documents
    ]


def test_what_is_accepted_as_it_was_pushed_comes_back_the_same(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    people = reviewers("accepted", versions=["llm", "student"])
    people.accept("llm")
    documents, counts, _ = pulled_from(server, "accepted", tmp_path / "pulled.sqlite")
    assert bare(documents) == bare(DOCUMENTS)
    assert all(span.score == 1.0 and span.source == "admin@localhost" for each in documents for _, span in each.spans)
    assert counts.model_versions == {"llm": 5}
    assert (counts.whole_documents, counts.unreviewed_documents) == (2, 0)


titles = (f"round trip {number}" for number in count())


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(corpora(), min_size=4, max_size=8))
def test_any_text_and_any_spans_come_back(
    server: Server, tmp_path: Path, reviewers: Callable[..., Reviewers], batches: list[list[Document]]
) -> None:
    documents = [
        Document(f"{number}:{document.id}", document.sections)
        for number, batch in enumerate(batches)
        for document in batch
        if document.sections
    ][:100]
    title = next(titles)
    reviewers(title, documents).accept("llm")
    again, counts, _ = pulled_from(server, title, tmp_path / f"{title}.sqlite")
    assert bare(again) == bare(documents)
    assert set(counts.left_out) <= {"the same span twice"}


def test_only_what_people_submitted_is_gold(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    texts = {name: f"BRCA1 {name}" for name in ("unseen", "skipped", "empty", "marked", "draft", "half")}
    documents = [Document(name, (Section("title", text, (Span(0, 5, "gene"),)),)) for name, text in texts.items()]
    documents[-1] = Document("half", (*documents[-1].sections, Section("body", "More of it.")))
    people = reviewers("submitted", documents)
    task = {each["data"]["document"]: each["id"] for each in reversed(people.tasks())}
    people.submit(task["skipped"], was_cancelled=True)
    people.submit(task["empty"])
    people.submit(task["marked"], Section("", texts["marked"], (Span(6, 12, "disease"),)), person="ada@example.org")
    people.submit(task["half"])
    people.call("POST", f"/api/tasks/{task['draft']}/drafts", json={"result": [], "lead_time": 3.0})
    gold, counts, _ = pulled_from(server, "submitted", tmp_path / "pulled.sqlite")
    assert bare(gold) == [
        ("empty", [("title", "BRCA1 empty", [])]),
        ("marked", [("title", "BRCA1 marked", [(6, 12, "disease")])]),
    ]
    assert (counts.whole_documents, counts.partial_documents, counts.unreviewed_documents) == (2, 1, 3)
    assert counts.skipped == {"admin@localhost": 1}
    (opinion,) = gold[1].metadata["review"][0]["opinions"]
    assert (opinion["annotator"], opinion["seconds"]) == ("ada@example.org", 12.5)
    kept, *_ = pulled_from(server, "submitted", tmp_path / "pulled.sqlite", partial="keep")
    assert bare(kept)[2:] == [("half", [("title", "BRCA1 half", [])])]


def test_a_second_pull_reads_what_has_changed_and_ends_where_a_full_one_does(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    documents = [
        Document(f"d{number:02}", (Section("title", f"BRCA1 {number}", (Span(0, 5, "gene"),)),))
        for number in range(320)
    ]
    people = reviewers("again", documents)
    people.accept("llm")
    file = tmp_path / "pulled.sqlite"
    first, _, read = pulled_from(server, "again", file)
    assert (len(first), read) == (320, 320)
    assert pulled_from(server, "again", file)[2] == 0
    tasks = people.tasks()
    disease = Section("", tasks[3]["data"]["text"], (Span(0, 5, "disease"),))
    people.submit(tasks[3]["id"], disease, person="ada@example.org")
    people.change(tasks[4]["annotations"][0]["id"], result=[])
    people.change(tasks[5]["annotations"][0]["id"], was_cancelled=True)
    people.call("DELETE", f"/api/annotations/{tasks[6]['annotations'][0]['id']}/")
    people.act("delete_tasks_annotations", [tasks[7]["id"]])
    people.act("delete_tasks", [tasks[8]["id"]])
    documents.append(Document("new", (Section("title", "PARP1"),)))
    project_on(server.url, "again").push(documents[-1:], model_version="other")
    people.submit(people.tasks()[-1]["id"])
    again, counts, read = pulled_from(server, "again", file)
    assert read == 6
    changed = {document.id: document for document in again}
    assert [span.label for _, span in changed["d03"].spans] == ["disease"]
    assert changed["d04"].spans == []
    assert "new" in changed
    assert not changed.keys() & {"d05", "d06", "d07", "d08"}
    full = pulled_from(server, "again", tmp_path / "fresh.sqlite")
    assert (again, counts) == full[:2]
    assert pulled_from(server, "again", file, full=True) == (again, counts, 320)


def test_who_began_from_what_is_known_though_the_version_was_pushed_again(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    people = reviewers("replaced version", versions=["llm", "student"])
    people.accept("student")
    file = tmp_path / "pulled.sqlite"
    before, *_ = pulled_from(server, "replaced version", file)
    people.call("DELETE", f"/api/projects/{people.project}/model-versions/", json={"model_version": "student"})
    after, counts, _ = pulled_from(server, "replaced version", file, full=True)
    assert after == before
    assert counts.model_versions == {"student": 5}


def test_a_pull_that_fails_leaves_what_was_there(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    people = reviewers("interrupted")
    people.accept("llm")
    file = tmp_path / "pulled.sqlite"
    before = pulled_from(server, "interrupted", file)
    people.change(people.tasks()[0]["annotations"][0]["id"], result=[])

    def fail(*_: int) -> None:
        raise KeyboardInterrupt

    with pulled_tasks(file) as pulled, project_on(server.url, "interrupted").found() as found:  # noqa: SIM117
        with pytest.raises(KeyboardInterrupt):
            pull(found, pulled, full=True, on_progress=fail)
    with pulled_tasks(file) as pulled:
        assert sum(1 for _ in pulled.records()) == 5
    assert pulled_from(server, "interrupted", file)[0] != before[0]


def test_the_server_keeps_no_snapshot(server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path) -> None:
    people = reviewers("tidy")
    pulled_from(server, "tidy", tmp_path / "pulled.sqlite")
    assert people.call("GET", f"/api/projects/{people.project}/exports/") == []


def test_what_was_pulled_of_another_project_is_forgotten(
    server: Server, reviewers: Callable[..., Reviewers], tmp_path: Path
) -> None:
    reviewers("one").accept("llm")
    reviewers("another", DOCUMENTS[:1]).accept("llm")
    pulled_from(server, "one", tmp_path / "pulled.sqlite")
    documents, *_ = pulled_from(server, "another", tmp_path / "pulled.sqlite")
    assert [document.id for document in documents] == ["PMID:1/ä"]


def test_a_project_that_is_not_there_or_empty(server: Server, tmp_path: Path) -> None:
    with pytest.raises(LabelStudioError, match='there is no project "never made"'):
        pulled_from(server, "never made", tmp_path / "pulled.sqlite")
    project_on(server.url, "no tasks").push([], model_version="llm")
    assert pulled_from(server, "no tasks", tmp_path / "pulled.sqlite") == ([], ReviewCounts(), 0)
