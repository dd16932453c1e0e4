"""A push sends the difference, leaves nothing twice, and touches nothing that is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from label_studio_sdk import LabelStudio

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.project import Pushed
from tests.label_studio.examples import project_on
from tests.label_studio.proxy import Proxy, once, proxied
from tests.label_studio.server import Server
from tests.label_studio.test_project import read_back, sent_spans, shown_spans

pytestmark = pytest.mark.label_studio

DOCUMENTS = [
    Document(
        f"PMID:{number}",
        (
            Section("title", f"BRCA1 {number}", (Span(0, 5, "gene", 0.25), Span(0, 5, "disease"))),
            Section("abstract", f"No entity {number}"),
        ),
        {"source": "invented", "year": 2020 + number, "authors": ["left out"], "long": "x" * 999},
    )
    for number in range(15)
]
CHANGED = DOCUMENTS[0].with_spans([(Span(0, 4, "gene"),), ()])


@pytest.fixture(autouse=True)
def token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    with proxied(server.url) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Any:
    return LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]


def prediction_ids(tasks: list[Any], model_version: str) -> dict[tuple[str, int], list[int]]:
    """The ids of a version's predictions by document and section."""
    return {
        (task.data["document"], task.data["section_number"]): [
            each.id for each in task.predictions if each.model_version == model_version
        ]
        for task in tasks
    }


def test_pushing_twice_sends_nothing_the_second_time(server: Server, proxy: Proxy) -> None:
    first = project_on(proxy.url, "twice").push(DOCUMENTS, model_version="llm")
    before = read_back(server, first)
    proxy.asked.clear()
    second = project_on(proxy.url, "twice").push(iter(DOCUMENTS), model_version="llm")
    assert proxy.writes() == []
    assert second == Pushed(first.url, new_tasks=0, predictions=30, sent=0)
    assert (first.sent, second.sent) == (30, 0)
    assert read_back(server, second) == before


def test_only_what_has_changed_is_replaced(server: Server, proxy: Proxy) -> None:
    first = project_on(proxy.url, "one changed").push(DOCUMENTS, model_version="llm")
    before = prediction_ids(read_back(server, first), "llm")
    proxy.asked.clear()
    changed = [CHANGED, *DOCUMENTS[1:]]
    pushed = project_on(proxy.url, "one changed").push(changed, model_version="llm")
    tasks = read_back(server, pushed)
    after = prediction_ids(tasks, "llm")
    assert shown_spans(tasks, "llm") == sent_spans(changed)
    assert {key for key in after if after[key] != before[key]} == {("PMID:0", 0)}
    assert [each.split(" ")[0] for each in proxy.writes()] == ["DELETE", "POST"]
    assert pushed.sent == 1


def test_a_score_is_a_change(server: Server) -> None:
    project_on(server.url, "scores").push(DOCUMENTS, model_version="llm")
    spans = [replace(span, score=0.5) for span in DOCUMENTS[0].sections[0].spans]
    other = [DOCUMENTS[0].with_spans([tuple(spans), ()]), *DOCUMENTS[1:]]
    pushed = project_on(server.url, "scores").push(other, model_version="llm")
    assert shown_spans(read_back(server, pushed), "llm") == sent_spans(other)


def test_a_version_that_has_changed_a_lot_is_replaced_as_a_whole_and_others_stay(server: Server, proxy: Proxy) -> None:
    project = project_on(proxy.url, "all changed")
    project.push(DOCUMENTS, model_version="gold")
    project.push([document.without_spans() for document in DOCUMENTS], model_version="step 1")
    proxy.asked.clear()
    pushed = project.push(DOCUMENTS, model_version="step 1")
    assert len(proxy.writes()) == 2
    tasks = read_back(server, pushed)
    assert shown_spans(tasks, "step 1") == shown_spans(tasks, "gold") == sent_spans(DOCUMENTS)


def test_what_is_no_longer_pushed_goes_and_its_task_stays(server: Server) -> None:
    project = project_on(server.url, "fewer")
    project.push(DOCUMENTS, model_version="llm")
    pushed = project.push(DOCUMENTS[1:], model_version="llm")
    tasks = read_back(server, pushed)
    assert len(tasks) == 30
    gone: dict[tuple[str, int], list[tuple[Span, ...]]] = {("PMID:0", 0): [], ("PMID:0", 1): []}
    assert shown_spans(tasks, "llm") == {**sent_spans(DOCUMENTS), **gone}


def test_progress_is_told_and_reaches_the_end(server: Server) -> None:
    told: list[tuple[int, int]] = []
    many = [Document(f"PMID:{number}", (Section("", f"text {number}"),)) for number in range(1100)]
    project = project_on(server.url, "progress", max_tasks=None)
    for _ in range(2):
        told.clear()
        project.push(many, model_version="llm", on_progress=lambda done, total: told.append((done, total)))
        assert told == [(500, 1100), (1000, 1100), (1100, 1100)]


@pytest.mark.parametrize("existing", [[], DOCUMENTS[:5]], ids=["new project", "project with tasks"])
def test_an_import_whose_answer_is_lost_leaves_nothing_twice(
    server: Server, proxy: Proxy, existing: list[Document]
) -> None:
    title = f"lost answer, {len(existing)}"
    project_on(proxy.url, title).push(existing, model_version="llm")
    proxy.asked.clear()
    proxy.swallow = once("/import")
    pushed = project_on(proxy.url, title, timeout=5).push(DOCUMENTS, model_version="llm")
    tasks = read_back(server, pushed)
    assert len(tasks) == 30
    assert shown_spans(tasks, "llm") == sent_spans(DOCUMENTS)
    assert sum(each.endswith("/import") for each in proxy.asked) == 1


def test_an_import_that_never_arrived_is_sent_again(server: Server, proxy: Proxy) -> None:
    proxy.drop = once("/import")
    pushed = project_on(proxy.url, "lost request", timeout=8).push(DOCUMENTS, model_version="llm")
    assert shown_spans(read_back(server, pushed), "llm") == sent_spans(DOCUMENTS)
    assert sum(each.endswith("/import") for each in proxy.asked) == 2


def test_predictions_whose_answer_is_lost_are_there_once(server: Server, proxy: Proxy) -> None:
    project_on(proxy.url, "lost predictions").push(DOCUMENTS, model_version="gold")
    proxy.swallow = once("/import/predictions")
    pushed = project_on(proxy.url, "lost predictions", timeout=5).push(DOCUMENTS, model_version="step 1")
    assert shown_spans(read_back(server, pushed), "step 1") == sent_spans(DOCUMENTS)
    assert sum(each.endswith("/import/predictions") for each in proxy.asked) == 1


def test_tasks_that_came_twice_are_removed_by_the_next_push_unless_annotated(server: Server, client: Any) -> None:
    project = project_on(server.url, "came twice")
    pushed = project.push(DOCUMENTS, model_version="llm")
    number = int(pushed.url.split("/")[-2])
    tasks = read_back(server, pushed)
    client.projects.import_tasks(number, request=[{"data": task.data} for task in tasks[:3]])
    mine = {"data": {"text": "somebody else's", "document": 7}}
    client.projects.import_tasks(number, request=[mine, mine])
    doubled = sorted(client.tasks.list(project=number), key=lambda task: int(task.id))
    client.annotations.create(id=doubled[30].id, result=[])
    pushed = project.push(DOCUMENTS, model_version="llm")
    left = sorted(int(task.id) for task in client.tasks.list(project=number))
    # Of the first section the copy is annotated, so that one stays; two copies of others go; what is not ours stays.
    gone = {int(doubled[0].id), int(doubled[31].id), int(doubled[32].id)}
    assert left == [int(task.id) for task in doubled if int(task.id) not in gone]
    assert pushed.predictions == 30


def test_predictions_that_came_twice_are_removed_by_the_next_push(server: Server, client: Any) -> None:
    project = project_on(server.url, "predictions twice")
    pushed = project.push(DOCUMENTS, model_version="llm")
    task = read_back(server, pushed)[0]
    client.predictions.create(task=task.id, model_version="llm", result=task.predictions[0].result)
    project.push(DOCUMENTS, model_version="llm")
    after = read_back(server, pushed)
    assert shown_spans(after, "llm") == sent_spans(DOCUMENTS)
    assert after[0].predictions[0].id == task.predictions[0].id


def test_an_unknown_class_is_named_with_its_place_and_nothing_is_sent(proxy: Proxy) -> None:
    spans = tuple(Span(0, 5, f"unknown {number}") for number in range(5))
    odd = Document("PMID:odd", (Section("title", "BRCA1", spans),))
    with pytest.raises(LabelStudioError) as caught:
        project_on(proxy.url, "unknown").push([*DOCUMENTS, odd], model_version="llm")
    message = str(caught.value)
    assert 'document "PMID:odd", section 0 ("title"): span 0–5 "BRCA1" of class "unknown 0"' in message
    assert "and 2 more" in message
    assert not any("import" in each for each in proxy.writes())


def test_predictions_that_the_server_drops_are_named(proxy: Proxy, client: Any) -> None:
    pushed = project_on(proxy.url, "dropped").push(DOCUMENTS, model_version="gold")
    number = int(pushed.url.split("/")[-2])
    view = str(client.projects.get(number).label_config)

    def somebody_removes_a_class(request: str) -> bool:
        if request.endswith("/import/predictions"):
            # Label Studio does not let a class go that predictions have, unless it has never been told of them.
            client.projects.update(number, label_config=view.replace('value="class 53"', 'value="renamed"'))
        return False

    odd = DOCUMENTS[3].with_spans([(Span(1, 3, "class 53"),), ()])
    proxy.drop = somebody_removes_a_class
    with pytest.raises(LabelStudioError) as caught:
        project_on(proxy.url, "dropped").push([*DOCUMENTS[:3], odd, *DOCUMENTS[4:]], model_version="step 1")
    message = str(caught.value)
    assert 'kept 29 of 30 predictions of "step 1"' in message
    assert 'document "PMID:3", section 0 ("title")' in message
    assert "\n" not in message


def test_a_project_that_is_deleted_in_between_is_explained_and_made_again(proxy: Proxy, client: Any) -> None:
    pushed = project_on(proxy.url, "deleted").push(DOCUMENTS[:2], model_version="gold")

    def somebody_deletes_it(request: str) -> bool:
        if request.endswith("/import"):
            client.projects.delete(int(pushed.url.split("/")[-2]))
        return False

    proxy.drop = somebody_deletes_it
    with pytest.raises(LabelStudioError, match="if the project was deleted meanwhile, push again"):
        project_on(proxy.url, "deleted").push(DOCUMENTS, model_version="gold")
    proxy.drop = lambda _: False
    again = project_on(proxy.url, "deleted").push(DOCUMENTS, model_version="gold")
    assert again.url != pushed.url
    assert again.new_tasks == 30


def test_a_sample_is_the_same_whatever_a_version_predicts(server: Server) -> None:
    project = project_on(server.url, "sampled", max_tasks=9)
    gold = project.push(DOCUMENTS, model_version="gold")
    assert gold.new_tasks == gold.predictions == 8
    predicted = [document.without_spans() for document in DOCUMENTS[:7]] + DOCUMENTS[7:]
    again = project_on(server.url, "sampled", max_tasks=9).push(predicted[::-1], model_version="step 1")
    assert again == Pushed(gold.url, new_tasks=0, predictions=8)


def test_a_sample_with_no_room_for_any_document_is_an_error(server: Server) -> None:
    with pytest.raises(LabelStudioError, match=r"label_studio\.max_tasks"):
        project_on(server.url, "no room", max_tasks=1).push(DOCUMENTS, model_version="gold")
