"""What is pushed stands in a real Label Studio as it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from label_studio_sdk import LabelStudio

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.project import Pushed
from kazu_distill.schema import Schema
from tests.label_studio.examples import AWKWARD_NAMES, SCHEMA, corpora, marked, project_on
from tests.label_studio.server import Server

pytestmark = pytest.mark.label_studio

TEXT = "🧬 BRCA1-mutant cancer: e\u0301tude d’été\r\nof  two\tlines, <b>5</b> &amp; 𝛼-synuclein\u200b in ‏אבג."
NESTED = marked(
    TEXT,
    ("BRCA1", "gene", 0.5),
    ("BRCA1", "disease", 0.25),
    ("BRCA1-mutant cancer", "disease", 1.0),
    ("mutant", AWKWARD_NAMES[2], 0.125),
    (" cancer", AWKWARD_NAMES[3], 0.0),
    ("e\u0301tude", "class 53", 1.0),
    ("5", AWKWARD_NAMES[4], 1.0),
    ("𝛼-synuclein", "gene", 1.0),
    ("אבג", "gene", 1.0),
)
DOCUMENTS = [
    Document(
        "PMID:1/ä",
        (Section("title", TEXT, NESTED), Section("", ""), Section("body", "No entity here.")),
    ),
    Document("PMID:2", (Section("title", TEXT, NESTED[:2]), Section("title", TEXT))),
]


@pytest.fixture(autouse=True)
def token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", server.token)


def read_back(server: Server, pushed: Pushed) -> list[Any]:
    """The tasks of a project with their predictions, as the SDK reads them."""
    client = LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    project = int(pushed.url.split("/")[-2])
    return sorted(client.tasks.list(project=project), key=lambda task: int(task.id))


def shown_spans(tasks: Sequence[Any], model_version: str) -> dict[tuple[str, int], list[tuple[Span, ...]]]:
    """The spans of every prediction of a version, by document and section; each is where its text stands."""
    shown: dict[tuple[str, int], list[tuple[Span, ...]]] = {}
    for task in tasks:
        key = (task.data["document"], task.data["section_number"])
        predictions = [prediction for prediction in task.predictions if prediction.model_version == model_version]
        shown[key] = [tuple(map(_span, prediction.result)) for prediction in predictions]
        for prediction in predictions:
            for region in prediction.result:
                value = region["value"]
                assert task.data["text"][value["start"] : value["end"]] == value["text"]
    return shown


def sent_spans(documents: Sequence[Document]) -> dict[tuple[str, int], list[tuple[Span, ...]]]:
    """What ``shown_spans`` gives where each section has just its own prediction."""
    return {
        (document.id, number): [section.spans]
        for document in documents
        for number, section in enumerate(document.sections)
    }


def _span(region: Any) -> Span:
    (label,) = region["value"]["labels"]
    return Span(region["value"]["start"], region["value"]["end"], label, region["score"])


def test_gold_and_predictions_stand_beside_each_other(server: Server) -> None:
    project = project_on(server.url, "beside each other")
    predicted = [document.without_spans() for document in DOCUMENTS[:1]] + DOCUMENTS[1:]
    first = project.push(DOCUMENTS, model_version="gold")
    second = project.push(predicted, model_version="step 120")
    tasks = read_back(server, second)
    assert first == Pushed(second.url, new_tasks=5, predictions=5)
    assert (second.new_tasks, second.predictions) == (0, 5)
    assert [task.data["text"] for task in tasks] == [
        section.text for document in DOCUMENTS for section in document.sections
    ]
    assert shown_spans(tasks, "gold") == sent_spans(DOCUMENTS)
    assert shown_spans(tasks, "step 120") == sent_spans(predicted)


titles = (f"any text {number}" for number in count())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpora())
def test_any_text_and_any_spans_survive(server: Server, documents: list[Document]) -> None:
    pushed = project_on(server.url, next(titles)).push(documents, model_version="gold")
    assert shown_spans(read_back(server, pushed), "gold") == sent_spans(documents)


def test_pushing_a_version_again_replaces_it(server: Server) -> None:
    project = project_on(server.url, "replaced")
    project.push(DOCUMENTS, model_version="gold")
    project.push([document.without_spans() for document in DOCUMENTS], model_version="step 120")
    pushed = project.push(DOCUMENTS, model_version="step 120")
    tasks = read_back(server, pushed)
    assert shown_spans(tasks, "step 120") == sent_spans(DOCUMENTS)
    assert shown_spans(tasks, "gold") == sent_spans(DOCUMENTS)


def test_a_run_that_starts_again_finds_its_project_and_tasks(server: Server) -> None:
    first = project_on(server.url, "found again").push(DOCUMENTS[:1], model_version="gold")
    longer_title = project_on(server.url, "found again, longer").push(DOCUMENTS, model_version="gold")
    again = project_on(server.url, "found again").push(DOCUMENTS, model_version="gold")
    assert again == Pushed(first.url, new_tasks=2, predictions=5)
    assert longer_title.url != first.url


@pytest.mark.parametrize("title", ["/data/" + "long/" * 30 + "run-7", " spaces around ", "100% <b>_é_"])
def test_any_title_is_found_again(server: Server, title: str) -> None:
    urls = {project_on(server.url, title).push(DOCUMENTS[:1], model_version="gold").url for _ in range(2)}
    assert len(urls) == 1


def test_long_titles_that_end_alike_are_different_projects(server: Server) -> None:
    tail = "/a/rather/long/folder/that/is/the/same/for/both/run"
    urls = {project_on(server.url, user + tail).push([], model_version="gold").url for user in ("ada", "bob")}
    assert len(urls) == 2


def test_more_sections_than_fit_a_request_all_arrive(server: Server) -> None:
    documents = [
        Document(f"PMID:{number}", tuple(Section("s", f"BRCA1 {number}", (Span(0, 5, "gene"),)) for _ in range(3)))
        for number in range(400)
    ]
    pushed = project_on(server.url, "many", max_tasks=1050).push(documents, model_version="gold")
    assert pushed == Pushed(pushed.url, new_tasks=1050, predictions=1050)


def test_a_class_that_the_interface_lacks_is_noticed(server: Server) -> None:
    unknown = Document("PMID:3", (Section("title", "BRCA1", (Span(0, 5, "not a class"),)),))
    with pytest.raises(LabelStudioError, match=r'document "PMID:3", section 0 .* 0–5 "BRCA1" of class "not a'):
        project_on(server.url, "lost").push([*DOCUMENTS, unknown], model_version="gold")


def test_a_class_that_is_new_in_the_schema_is_added_to_the_interface(server: Server) -> None:
    smaller = Schema(name="small", classes={"gene": {}})
    first = project_on(server.url, "grows", schema=smaller).push([], model_version="gold")
    second = project_on(server.url, "grows", schema=SCHEMA).push(DOCUMENTS, model_version="gold")
    assert second == Pushed(first.url, new_tasks=5, predictions=5)


def test_an_interface_that_a_person_changed_stays(server: Server) -> None:
    client = LabelStudio(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    pushed = project_on(server.url, "changed").push([], model_version="gold")
    number = int(pushed.url.split("/")[-2])
    changed = str(client.projects.get(number).label_config).replace("</Labels>", '<Label value="mine"/></Labels>')
    client.projects.update(number, label_config=changed)
    project_on(server.url, "changed").push(DOCUMENTS, model_version="gold")
    assert client.projects.get(number).label_config == changed


def test_a_wrong_token_is_refused_with_its_variable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", "f" * 40)
    with pytest.raises(LabelStudioError, match="TEST_LABEL_STUDIO_TOKEN was not accepted") as caught:
        project_on(server.url, "refused").push(DOCUMENTS, model_version="gold")
    assert "f" * 40 not in str(caught.value)
