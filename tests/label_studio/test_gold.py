"""Gold is an annotation that is marked as ground truth, and what people made of it stays."""

from __future__ import annotations

from typing import Any

import pytest
from label_studio_sdk import LabelStudio

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.project import Pushed
from tests.label_studio.examples import project_on
from tests.label_studio.proxy import once, proxied
from tests.label_studio.server import Server
from tests.label_studio.test_project import DOCUMENTS, read_back, sent_spans

pytestmark = pytest.mark.label_studio

OTHER = [Document("PMID:1/ä", DOCUMENTS[0].sections).with_spans([(Span(2, 7, "gene"),), (), (Span(0, 2, "gene"),)])]


@pytest.fixture(autouse=True)
def token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)


@pytest.fixture
def client(server: Server) -> Any:
    return LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]


def annotated(server: Server, pushed: Pushed) -> dict[tuple[str, int], list[tuple[Span, ...]]]:
    """The spans of every ground-truth annotation, by document and section."""
    shown: dict[tuple[str, int], list[tuple[Span, ...]]] = {}
    for task in read_back(server, pushed):
        shown[task.data["document"], task.data["section_number"]] = [
            tuple(
                Span(each["value"]["start"], each["value"]["end"], each["value"]["labels"][0], each["score"])
                for each in annotation["result"]
            )
            for annotation in task.annotations
            if annotation["ground_truth"]
        ]
    return shown


@pytest.mark.parametrize("before", [[], DOCUMENTS], ids=["new tasks", "tasks with predictions"])
def test_gold_is_ground_truth_and_pushing_it_again_changes_nothing(server: Server, before: list[Document]) -> None:
    with proxied(server.url) as proxy:
        project = project_on(proxy.url, f"ground truth {len(before)}")
        project.push(before, model_version="llm")
        first = project.push_gold(DOCUMENTS)
        assert annotated(server, first) == sent_spans(DOCUMENTS)
        proxy.asked.clear()
        again = project.push_gold(DOCUMENTS)
        assert proxy.writes() == []
    assert (first.sent, again.sent, again.predictions) == (5, 0, 5)


def test_gold_that_has_changed_is_replaced(server: Server) -> None:
    project = project_on(server.url, "gold changes")
    project.push_gold(DOCUMENTS[:1])
    pushed = project.push_gold(OTHER)
    assert annotated(server, pushed) == sent_spans(OTHER)
    assert pushed.sent == 2


def test_what_people_made_is_never_touched(server: Server, client: Any) -> None:
    project = project_on(server.url, "people")
    pushed = project.push_gold(DOCUMENTS[:1])
    changed, confirmed, own = (task for task in read_back(server, pushed))
    mended = [{**changed.annotations[0]["result"][0], "id": "mended"}]
    client.annotations.update(id=changed.annotations[0]["id"], result=mended, lead_time=3.5)
    client.annotations.update(id=confirmed.annotations[0]["id"], lead_time=2.0)
    theirs = client.annotations.create(id=own.id, result=mended, ground_truth=True)
    project.push_gold(DOCUMENTS[:1])  # what they changed of it is not brought back beside it
    assert [len(task.annotations) for task in read_back(server, pushed)] == [1, 1, 2]

    project.push_gold(OTHER)
    after = read_back(server, pushed)
    kept = {annotation["id"]: annotation["result"] for task in after for annotation in task.annotations}
    assert kept[changed.annotations[0]["id"]] == mended
    assert kept[confirmed.annotations[0]["id"]] == []
    assert kept[theirs.id] == mended
    assert own.annotations[0]["id"] not in kept  # nobody had touched that one
    assert len(kept) == 3
    assert {annotation["id"] for task in after for annotation in task.annotations if annotation["ground_truth"]} == set(
        kept
    )


def test_gold_that_came_twice_is_removed_by_the_next_push(server: Server, client: Any) -> None:
    project = project_on(server.url, "gold twice")
    pushed = project.push_gold(DOCUMENTS)
    number = int(pushed.url.split("/")[-2])
    tasks = read_back(server, pushed)
    again = [
        {"data": task.data, "annotations": [{**each, "id": each["import_id"]} for each in task.annotations]}
        for task in tasks
    ]
    client.projects.import_tasks(number, request=again)
    assert len(read_back(server, pushed)) == 10
    assert project.push_gold(DOCUMENTS).sent == 0
    assert [task.id for task in read_back(server, pushed)] == [task.id for task in tasks]


def test_an_annotation_whose_answer_is_lost_is_there_once(server: Server) -> None:
    with proxied(server.url) as proxy:
        project = project_on(proxy.url, "gold, lost answer", timeout=4)
        project.push(DOCUMENTS[:1], model_version="llm")
        proxy.swallow = once("/annotations/")
        pushed = project.push_gold(DOCUMENTS[:1])
    assert annotated(server, pushed) == sent_spans(DOCUMENTS[:1])


def test_the_next_task_is_the_first_that_was_pushed_and_has_no_gold(server: Server, client: Any) -> None:
    documents = [Document(f"PMID:{number}", (Section("", f"text {number}"),)) for number in (5, 3, 9, 1)]
    project = project_on(server.url, "order")
    project.push_gold(documents[:1])
    pushed = project.push(documents, model_version="llm")
    assert next_task(client, pushed) == "PMID:3"


def test_the_tab_by_priority_gives_the_most_useful_task_first(server: Server, client: Any) -> None:
    documents = [Document(f"PMID:{number}", (Section("", f"text {number}"),)) for number in range(4)]
    project = project_on(server.url, "ranked")
    project.push(documents[:2], model_version="llm")
    scores = {"PMID:0": 2e-05, "PMID:1": 10.0, "PMID:2": 9.5, "PMID:3": 0.25}
    for _ in range(2):
        pushed = project.push(documents, model_version="llm", scores=scores)
    number = int(pushed.url.split("/")[-2])
    (tab,) = [view for view in client.views.list(project=number) if view.data["title"] == "by priority"]
    listed = [task.data["document"] for task in client.tasks.list(view=tab.id)]
    assert listed == ["PMID:1", "PMID:2", "PMID:3", "PMID:0"]
    again = project.push(documents, model_version="llm", scores={**scores, "PMID:3": 11.0})
    assert again.sent == 0
    assert next(iter(client.tasks.list(view=tab.id))).data["document"] == "PMID:3"


def next_task(client: Any, pushed: Pushed) -> str:
    """The document of the task that a reviewer would be given."""
    path = f"api/projects/{pushed.url.split('/')[-2]}/next"
    document: str = client._client_wrapper.httpx_client.request(path, method="GET").json()["data"]["document"]
    return document
