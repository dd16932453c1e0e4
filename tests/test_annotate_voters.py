"""Several LLMs, or several samples of one, and texts of several parts."""

from __future__ import annotations

import json
from pathlib import Path

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Span
from tests.annotating import answer, arguments, found_in, lines_of
from tests.llm_server import Fault, LLMServer
from tests.stages import fail, run_stage, succeed

TEXTS = {"one": "Severe renal failure after aspirin.", "two": "Nothing."}


def says(*mentions: tuple[str, str]) -> LLMServer:
    """An LLM that says the same of every text."""
    return LLMServer(lambda _system, user: answer([pair for pair in mentions if pair[0] in user]))


def voters(folder: Path, **servers: LLMServer) -> list[str]:
    """The command's arguments for several LLMs."""
    command = arguments(folder, next(iter(servers.values())), **TEXTS)
    for name, server in servers.items():
        command += [f"+llm@llms.{name}=local", f"llms.{name}.model={name}", f"llms.{name}.base_url={server.url}/v1"]
    return command


def test_several_llms_vote(tmp_path: Path) -> None:
    with (
        says(("renal failure", "Disease"), ("aspirin", "Chemical")) as first,
        says(("renal failure", "Disease")) as second,
        says(("Severe renal failure", "Disease"), ("aspirin", "Chemical")) as third,
    ):
        succeed("annotate", *voters(tmp_path, a=first, b=second, c=third))
        assert [len(server.received) for server in (first, second, third)] == [2, 2, 2]
    one, two = read_documents(tmp_path / "out/documents.jsonl")
    spans = {section.mention(span): span for section, span in one.spans}
    assert spans.keys() == {"renal failure", "aspirin"}
    assert round(spans["renal failure"].score, 3) == round(spans["aspirin"].score, 3) == 0.667
    assert spans["aspirin"].source == "a+c"
    assert one.metadata["votes"]["c"] == [
        [{"start": 0, "end": 20, "label": "Disease"}, {"start": 27, "end": 34, "label": "Chemical"}]
    ]
    assert two.spans == []
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["voters"].keys() == {"a", "b", "c"}
    agreement = {tuple(pair["voters"]): pair for pair in report["agreement"]}
    assert agreement["a", "c"]["f1_per_class"] == {"Chemical": 1.0, "Disease": 0.0}
    assert "| class | a and b | a and c | b and c |" in (tmp_path / "out/report.md").read_text()


def test_weak_votes_can_be_dropped_without_asking_again(tmp_path: Path) -> None:
    with says(("aspirin", "Chemical")) as first, says(("renal failure", "Disease")) as second:
        succeed("annotate", *voters(tmp_path, a=first, b=second))
        assert found_in(tmp_path)["one"] == [("renal failure", "Disease"), ("aspirin", "Chemical")]
        succeed("annotate", *voters(tmp_path, a=first, b=second), "votes.minimum=0.6")
        assert found_in(tmp_path)["one"] == []
        assert len(first.received) == len(second.received) == 2


def test_a_document_that_one_llm_fails_on_is_a_failed_document(tmp_path: Path) -> None:
    with (
        says(("aspirin", "Chemical")) as first,
        LLMServer(
            lambda *_: answer([]), fault_of=lambda asked: Fault.SAFETY if "aspirin" in asked.user else None
        ) as second,
    ):
        run = run_stage("annotate", *voters(tmp_path, a=first, b=second))
    assert run.status == 3
    assert found_in(tmp_path) == {"two": []}
    (failure,) = lines_of(tmp_path / "out/failed.jsonl")
    assert (failure["document_id"], failure["voter"], failure["kind"]) == ("one", "b", "stopped: safety")


def test_two_llms_that_the_store_could_not_tell_apart_are_told(tmp_path: Path) -> None:
    with says(("aspirin", "Chemical")) as first, says(("renal failure", "Disease")) as second:
        command = [*voters(tmp_path, a=first, b=second), "llms.b.model=a"]
        assert "llms.b and llms.a have the same provider, model and settings" in fail("annotate", *command)
        succeed("annotate", *command, "llms.b.provider=b")


def test_samples_of_one_llm_vote(tmp_path: Path) -> None:
    asked: list[str] = []

    def changing(_system: str, user: str) -> str:
        asked.append(user)
        return answer([("aspirin", "Chemical")] if asked.count(user) == 1 and "aspirin" in user else [])

    with LLMServer(changing) as server:
        command = arguments(tmp_path, server, "local", "llm.samples=3", **TEXTS)
        succeed("annotate", *command)
        succeed("annotate", *command)
        assert len(server.received) == 6
    (one, _) = read_documents(tmp_path / "out/documents.jsonl")
    (span,) = [span for _, span in one.spans]
    assert round(span.score, 3) == 0.333
    assert one.metadata["votes"].keys() == {"m#1", "m#2", "m#3"}


def test_what_stands_before_a_chunk_is_shown_and_never_labelled(tmp_path: Path) -> None:
    text = " ".join(f"Patient {number} took aspirin and slept." for number in range(30))

    def everything(_system: str, _user: str) -> str:
        return answer([("Patient 0", "Disease"), ("aspirin", "Chemical")])

    with LLMServer(everything) as server:
        command = arguments(tmp_path, server, "local", "chunks.tokens=50", "chunks.context_tokens=30", long=text)
        succeed("annotate", *command)
        shown = [[turn["content"] for turn in request.body["messages"]] for request in server.received]
    assert all(len(turns) == (2 if turns[-1] == text[: len(turns[-1])] else 4) for turns in shown)
    for request in shown:
        context = request[1].split("\n\n", 1)[1] if len(request) == 4 else ""
        assert f"{context} {request[-1]}".strip() in text
    assert found_in(tmp_path)["long"].count(("Patient 0", "Disease")) == 1
    assert found_in(tmp_path)["long"].count(("aspirin", "Chemical")) == 30


def test_a_mention_can_label_the_whole_document(tmp_path: Path) -> None:
    text = " ".join(f"Patient {number} took aspirin and slept." for number in range(30))

    def once(_system: str, user: str) -> str:
        return answer([("aspirin", "Chemical")] if "Patient 0 " in user else [])

    found = {}
    with LLMServer(once) as server:
        command = arguments(tmp_path, server, "local", "chunks.tokens=50", long=text)
        for occurrences in ("listed", "all", "document"):
            succeed("annotate", *command, f"grounding.occurrences={occurrences}")
            found[occurrences] = len(found_in(tmp_path)["long"])
    assert found["listed"] == 1 < found["all"] < found["document"] == 30


def test_mentions_that_are_not_in_the_text_are_noted_with_the_document_and_evaluate_says_so(tmp_path: Path) -> None:
    inventive = LLMServer(
        lambda _system, user: answer([("aspirin", "Chemical"), ("heparin", "Chemical")] if "aspirin" in user else [])
    )
    with inventive as first, says(("aspirin", "Disease")) as second:
        succeed("annotate", *voters(tmp_path, a=first, b=second))
    one, two = read_documents(tmp_path / "out/documents.jsonl")
    assert one.metadata["not_in_text"] == {
        "per_class": {"Chemical": 1},
        "mentions": [{"text": "heparin", "label": "Chemical", "voter": "a"}],
    }
    assert "not_in_text" not in two.metadata
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, [one.with_spans([(Span(27, 34, "Chemical"),)]), two])
    given = (f"gold.path={gold}", f"predicted.path={tmp_path / 'out/documents.jsonl'}", f"out={tmp_path / 'scored'}")
    run = succeed("evaluate", "schema=bc5cdr", *given)
    metrics = json.loads((tmp_path / "scored/metrics.json").read_text())
    assert metrics["label_faults"]["not in the text"] == {"mentions": 1, "documents": 1, "per_class": {"Chemical": 1}}
    assert metrics["label_faults"]["conflicting"]["per_classes"] == [{"classes": ["Chemical", "Disease"], "strings": 1}]
    assert [line["kind"] for line in lines_of(tmp_path / "scored/errors.jsonl")] == [
        "spurious", "conflicting", "not in the text",
    ]  # fmt: skip
    assert (metrics["voters"]["a"]["micro_f1"], metrics["voters"]["b"]["micro_f1"]) == (1.0, 0.0)
    assert [(pair["voters"], pair["f1"]) for pair in metrics["agreement"]] == [(["a", "b"], 0.0)]
    assert "conflicting strings 1 (0 of them so in gold), mentions not in the text 1" in run.printed
    assert "voters, each by itself" in run.printed
    page = (tmp_path / "scored/report.html").read_text(encoding="utf-8")
    assert all(heading in page for heading in ("Faults of labels", "Not in the text", "Voters", "Agreement"))
    # Labelled again by one LLM that sees nothing else, the document does not say what another said of it.
    relabelled = [f"corpus.path={tmp_path / 'out/documents.jsonl'}", f"out={tmp_path / 'again'}"]
    with says(("aspirin", "Chemical")) as third:
        succeed("annotate", *arguments(tmp_path, third, **TEXTS), *relabelled)
    assert all(
        {"votes", "not_in_text"}.isdisjoint(document.metadata)
        for document in read_documents(tmp_path / "again/documents.jsonl")
    )
