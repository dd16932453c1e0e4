"""What cannot be shown yet is kept in files that we and Label Studio's import dialog read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.label_studio.outbox import Kept, keep, read_kept, send_outbox, title_of, waiting
from tests.full_disk import full_disk
from tests.label_studio.broken_servers import refusing_server
from tests.label_studio.examples import corpora, marked, project_on
from tests.label_studio.server import Server, free_port
from tests.label_studio.test_project import DOCUMENTS, read_back, sent_spans, shown_spans

TITLE = "kazu_distill runs/train"
METADATA = st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5))


@pytest.fixture(autouse=True)
def token(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    is_real = request.node.get_closest_marker("label_studio")
    value = request.getfixturevalue("server").token if is_real else "0" * 40
    monkeypatch.setenv("TEST_LABEL_STUDIO_TOKEN", value)


def kept_versions(folder: Path) -> list[str | None]:
    """The model versions of an outbox, in order."""
    return [kept.model_version for kept in map(read_kept, waiting(folder)) if kept]


@settings(deadline=None, max_examples=50)  # each writes to the disk
@given(corpora(), METADATA, st.text(max_size=5), st.none() | st.text(max_size=8))
def test_what_is_kept_is_read_back_exactly(
    documents: list[Document], metadata: dict[str, object], source: str, model_version: str | None
) -> None:
    sent = [
        replace(
            document.with_spans(
                [tuple(replace(span, source=source) for span in section.spans) for section in document.sections]
            ),
            metadata=metadata,
        )
        for document in documents
        if document.sections
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = keep(Path(folder), sent, model_version=model_version, title=TITLE)
        assert read_kept(path) == (Kept(model_version, sent, TITLE) if sent else None)
        assert waiting(Path(folder)) == [path]


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.none() | st.sampled_from(["gold", "@gold"]) | st.text(max_size=8), unique=True, min_size=2, max_size=6)
)
def test_every_model_version_has_a_file_of_its_own_whatever_its_name(model_versions: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for model_version in model_versions:
            keep(Path(folder), DOCUMENTS, model_version=model_version, title=TITLE)
        assert kept_versions(Path(folder)) == model_versions
        assert len(list(Path(folder).iterdir())) == len(model_versions)


def test_a_version_that_comes_again_takes_the_place_of_its_earlier_file_and_goes_last(tmp_path: Path) -> None:
    for model_version in ("gold", "step 10", "gold"):
        keep(tmp_path, DOCUMENTS[:1], model_version=model_version, title=TITLE)
    keep(tmp_path, DOCUMENTS, model_version="step 10", title=TITLE)
    assert kept_versions(tmp_path) == ["gold", "step 10"]
    assert [path.name for path in waiting(tmp_path)] == ["0003-gold.json", "0004-step_10.json"]
    assert read_kept(waiting(tmp_path)[1]) == Kept("step 10", DOCUMENTS, TITLE)
    assert title_of(tmp_path) == TITLE


def test_an_outbox_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert waiting(tmp_path / "none") == []
    assert title_of(tmp_path / "none") is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"data": {}}]', '[{"meta": {"kazu_distill": {}}}]', "null"])
def test_a_file_that_somebody_changed_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    path = keep(tmp_path, DOCUMENTS, model_version="gold", title=TITLE)
    path.write_text(content)
    with pytest.raises(CorpusError, match=path.name):
        read_kept(path)


def test_a_full_disk_leaves_what_was_kept_and_no_half_file(tmp_path: Path) -> None:
    path = keep(tmp_path, DOCUMENTS, model_version="gold", title=TITLE)
    content = path.read_bytes()
    with full_disk(room=100), pytest.raises(OSError, match="too large"):
        keep(tmp_path, DOCUMENTS, model_version="gold", title=TITLE)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [content]


def test_a_server_that_is_down_is_asked_once_and_everything_stays(tmp_path: Path) -> None:
    for model_version in ("gold", "step 10", "step 20"):
        keep(tmp_path, DOCUMENTS, model_version=model_version, title=TITLE)
    files = waiting(tmp_path)
    with refusing_server(503) as (url, asked):
        sent = send_outbox(project_on(url, TITLE), tmp_path)
    assert (sent.shown, list(sent.left)) == ({}, files)
    assert asked == ["GET /api/version", "GET /api/projects"]
    assert len({str(error) for error in sent.left.values()}) == 1
    sent = send_outbox(project_on(f"http://127.0.0.1:{free_port()}", TITLE), tmp_path)
    assert list(sent.left) == waiting(tmp_path) == files


@pytest.mark.label_studio
def test_what_was_kept_is_shown_in_order_and_then_gone(server: Server, tmp_path: Path) -> None:
    predicted = [document.without_spans() for document in DOCUMENTS]
    keep(tmp_path, predicted, model_version="step 10", title=TITLE)
    keep(tmp_path, DOCUMENTS, model_version="step 20", title=TITLE)
    keep(tmp_path, DOCUMENTS, model_version=None, title=TITLE)
    files = waiting(tmp_path)
    sent = send_outbox(project_on(server.url, "sent later"), tmp_path)
    assert list(sent.shown) == files
    assert (sent.left, list(tmp_path.iterdir())) == ({}, [])
    tasks = read_back(server, sent.shown[files[1]])
    assert shown_spans(tasks, "step 10") == sent_spans(predicted)
    assert shown_spans(tasks, "step 20") == ground_truth(tasks) == sent_spans(DOCUMENTS)


@pytest.mark.label_studio
def test_what_the_server_refuses_stays_and_the_rest_is_sent(server: Server, tmp_path: Path) -> None:
    unknown = Document("PMID:3", (Section("title", "BRCA1", (Span(0, 5, "not a class"),)),))
    refused = keep(tmp_path, [unknown], model_version="step 10", title=TITLE)
    broken = keep(tmp_path, DOCUMENTS, model_version="step 20", title=TITLE)
    broken.write_text("[")
    well = keep(tmp_path, DOCUMENTS, model_version="step 30", title=TITLE)
    sent = send_outbox(project_on(server.url, "partly sent later"), tmp_path)
    assert (list(sent.shown), waiting(tmp_path)) == ([well], [refused, broken])
    assert "not a class" in str(sent.left[refused])
    assert broken.name in str(sent.left[broken])


def ground_truth(tasks: Sequence[Any]) -> dict[tuple[str, int], list[tuple[Span, ...]]]:
    """The spans of every ground-truth annotation, by document and section."""
    return {
        (task.data["document"], task.data["section_number"]): [
            tuple(
                Span(each["value"]["start"], each["value"]["end"], each["value"]["labels"][0], each["score"])
                for each in annotation["result"]
            )
            for annotation in task.annotations
            if annotation["ground_truth"]
        ]
        for task in tasks
    }


@pytest.mark.label_studio
@pytest.mark.parametrize("model_version", ["step 10", None])
def test_the_import_dialog_takes_a_file_and_sending_it_later_makes_no_second_task(
    server: Server, tmp_path: Path, model_version: str | None
) -> None:
    kept = keep(tmp_path, DOCUMENTS, model_version=model_version, title=TITLE)
    project = project_on(server.url, f"imported by hand: {model_version}")
    pushed = project.push([], model_version="step 10")
    number = pushed.url.split("/")[-2]
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=60) as http:
        # What the page does when a file is dropped on it, and then when "Import" is pressed.
        dropped = http.post(
            f"/api/projects/{number}/import",
            params={"commit_to_project": "false"},
            files={"file": (kept.name, kept.read_bytes())},
        ).raise_for_status()
        uploads = dropped.json()["file_upload_ids"]
        http.post(
            f"/api/projects/{number}/reimport", json={"file_upload_ids": uploads, "files_as_tasks_list": True}
        ).raise_for_status()
    tasks = read_back(server, pushed)
    assert (shown_spans(tasks, "step 10") if model_version else ground_truth(tasks)) == sent_spans(DOCUMENTS)
    assert [task.data["text"] for task in tasks] == [each.text for doc in DOCUMENTS for each in doc.sections]
    (shown,) = send_outbox(project, tmp_path).shown.values()
    assert (shown.new_tasks, shown.sent) == (0, 0)
    tasks = read_back(server, shown)
    assert (shown_spans(tasks, "step 10") if model_version else ground_truth(tasks)) == sent_spans(DOCUMENTS)


def test_the_file_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    text = "BRCA1 and gout"
    document = Document("PMID:1", (Section("title", text, marked(text, ("BRCA1", "gene", 0.5))),))
    (task,) = json.loads(keep(tmp_path, [document], model_version="step 10", title=TITLE).read_text())
    assert task["data"]["text"] == text
    (prediction,) = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("step 10", 0.5)
    assert prediction["result"][0]["value"] == {"start": 0, "end": 5, "text": "BRCA1", "labels": ["gene"]}
