"""The annotate stage as a user runs it, against a local server that speaks the providers' protocols."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.annotating import ANSWERS, KEY, SPANS, TEXTS, arguments, by_dictionary, corpus_of, found_in, known, lines_of
from tests.llm_server import Fault, LLMServer, Received
from tests.stages import fail, run_stage, succeed


@pytest.mark.parametrize("llm", ["local", "openai", "gemini"])
def test_a_corpus_is_labelled_and_a_second_run_asks_nothing(llm: str, tmp_path: Path) -> None:
    key_name = {"openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY"}.get(llm)
    environment = {key_name: KEY} if key_name else {}
    with LLMServer(known(ANSWERS), key=KEY if key_name else None) as server:
        command = arguments(tmp_path, server, llm)
        succeed("annotate", *command, environment=environment)
        asked = len(server.received)
        first = (tmp_path / "out/documents.jsonl").read_bytes()
        assert found_in(tmp_path) == SPANS
        assert asked == len(ANSWERS)
        succeed("annotate", *command, environment=environment)
        assert len(server.received) == asked
    succeed("annotate", *command, "llm.offline=true")  # no server and no key
    assert (tmp_path / "out/documents.jsonl").read_bytes() == first
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["documents"] == len(TEXTS)
    assert report["voters"]["m"]["asked"] == 0
    assert report["voters"]["m"]["from_store"] == len(ANSWERS)
    assert report["grounding"]["not_found"] == 1
    assert report["spans_per_class"] == {"Disease": 6, "Chemical": 5}
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.DROPPED])
def test_what_passes_is_waited_for(fault: Fault, tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS), faults=[fault, None, fault, fault], retry_after="0") as server:
        succeed("annotate", *arguments(tmp_path, server))
    assert found_in(tmp_path) == SPANS
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert sum(report["voters"]["m"]["retries"].values()) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.SAFETY, "stopped: safety"),
        (Fault.CUT, "stopped: length"),
        (Fault.MALFORMED, "invalid answer"),
    ],
)
def test_a_document_without_a_usable_answer_is_kept_with_its_reason(fault: Fault, kind: str, tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        return fault if "Insulin" in received.user else None

    with LLMServer(
        lambda _, user: known(ANSWERS)[user] if "Insulin" not in user else "None.", fault_of=fault_of
    ) as server:
        run = run_stage("annotate", *arguments(tmp_path, server))
    assert run.status == 3
    assert f"failed, {kind}: 1" in run.printed
    assert found_in(tmp_path) == {key: spans for key, spans in SPANS.items() if key != "both"}
    (failed,) = lines_of(tmp_path / "out/failed.jsonl")
    assert (failed["document_id"], failed["kind"], failed["chunk"]) == ("both", kind, {"start": 0, "end": 13})
    assert (failed["voter"], failed["section"]) == ("m", 0)
    assert failed["answer"] == {Fault.SAFETY: "", Fault.CUT: "No", Fault.MALFORMED: "No"}[fault]


LONG = " ".join(f"Patient {number} took aspirin and slept." for number in range(300))


def test_a_text_that_is_too_long_for_the_llm_is_asked_in_parts(tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        return Fault.TOO_LONG if len(received.user) > 2000 else None

    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", long=LONG))
    assert found_in(tmp_path) == {"long": [("aspirin", "Chemical")] * 300}


def test_a_long_text_is_cut_at_sentence_ends_before_it_is_asked(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin")) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", "chunks.tokens=125", long=LONG))
    assert found_in(tmp_path) == {"long": [("aspirin", "Chemical")] * 300}
    assert all(len(request.user) <= 700 and request.user.startswith("Patient") for request in server.received)
    assert "".join(sorted((request.user for request in server.received), key=LONG.index)) == LONG


def test_what_no_request_can_escape_ends_the_run_with_one_line(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS), key=KEY) as server:
        command = arguments(tmp_path, server, "openai")
        no_key = fail("annotate", *command, "llm.price=null")
        assert no_key == "Refused: no key: set the environment variable OPENAI_API_KEY"
        refused = fail("annotate", *command, "llm.price=null", environment={"OPENAI_API_KEY": "sk-wrong"})
        assert "OPENAI_API_KEY" in refused
        assert "sk-wrong" not in refused
        assert len(refused.splitlines()) == 1
    with LLMServer(known(ANSWERS), fault_of=lambda _: Fault.MODEL_UNKNOWN) as server:
        unknown = fail("annotate", *arguments(tmp_path, server))
        assert "llm.model" in unknown
        assert len(unknown.splitlines()) == 1
    command = arguments(tmp_path, server, "local", "llm.retry.unreachable=1")
    unreachable = fail("annotate", *command)  # the server is closed now
    assert "llm.base_url" in unreachable
    assert len(unreachable.splitlines()) == 1
    missing = run_stage(
        "annotate", "corpus=jsonl", f"corpus.path={corpus_of(tmp_path, TEXTS)}", f"out={tmp_path / 'out'}", "llm=local"
    )
    assert (missing.status, "llm.model" in missing.errors) == (1, True)


def test_a_run_in_which_everything_fails_keeps_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS)) as server:
        command = arguments(tmp_path, server, "local", plain=TEXTS["plain"], both=TEXTS["both"])
        succeed("annotate", *command)
    first = (tmp_path / "out/documents.jsonl").read_bytes()
    message = fail("annotate", *command, "llm.model=other", "llm.offline=true")
    assert message.endswith("failed.jsonl says why, document by document")
    assert (tmp_path / "out/documents.jsonl").read_bytes() == first
    assert {line["kind"] for line in lines_of(tmp_path / "out/failed.jsonl")} == {"not in the store"}


def test_answers_go_to_text_and_back_and_serve_a_run_elsewhere(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS)) as server:
        command = arguments(tmp_path, server)
        succeed("annotate", *command)
    store, text = f"store.path={tmp_path / 'out/answers.sqlite'}", tmp_path / "answers.jsonl"
    succeed("answers", store, f"export_to={text}", f"out={tmp_path / 'answers'}")
    first = (tmp_path / "out/documents.jsonl").read_bytes()
    succeed("annotate", *command, f"out={tmp_path / 'elsewhere'}", "llm.offline=true", f"store.import_from={text}")
    assert (tmp_path / "elsewhere/documents.jsonl").read_bytes() == first
    new = f"store.path={tmp_path / 'new.sqlite'}"
    assert "6 new answers" in succeed("answers", new, f"import_from={text}", f"out={tmp_path / 'answers'}").printed
    assert "no such file" in fail(
        "answers", "store.path=none.sqlite", f"export_to={text}", f"out={tmp_path / 'answers'}"
    )
    assert "either" in fail("answers", store, f"out={tmp_path / 'answers'}")


def test_values_that_make_no_sense_are_one_line(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS)) as server:
        command = arguments(tmp_path, server)
        for override, words in (
            ("chunks.tokens=0", "chunks.tokens=0"),
            ("budget_usd=1", "budget_usd needs the price of m"),
            ("max_failed_share=2", "max_failed_share=2"),
            ("llm.samples=0", "llm.samples=0"),
            ("votes.minimum=3", "votes.minimum=3"),
            ("grounding.occurrences=some", "choose listed, all or document"),
            ("cleaning.nested=none", "choose longest or all"),
            ("llm.max_concurrency=0", "llm.max_concurrency=0"),
            ("prompt.instructions=hello", r"$classes is missing"),
        ):
            message = fail("annotate", *command, override)
            assert words in message
            assert len(message.splitlines()) == 1
        assert not server.received
    (tmp_path / "corpus.jsonl").write_text("")
    assert "has no documents" in fail("annotate", *command)


def test_a_broken_line_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS)) as server:
        command = arguments(tmp_path, server)
        corpus = tmp_path / "corpus.jsonl"
        corpus.write_text(corpus.read_text() + '{"id": "cut", "te\n')
        message = fail("annotate", *command)
        assert f"{corpus}:{len(TEXTS) + 1}:" in message
        assert "corpus.on_error=skip" in message
        assert not server.received
        run = succeed("annotate", *command, "corpus.on_error=skip")
    assert "documents skipped: 1" in run.printed
    assert found_in(tmp_path) == SPANS


def test_a_stage_without_its_corpus_says_what_to_set(tmp_path: Path) -> None:
    assert (
        fail("annotate", f"out={tmp_path}") == "ConfigError: corpus.path is not set: add corpus.path=… to the command"
    )
    assert "no such file or folder" in fail("annotate", "corpus.path=/nowhere", f"out={tmp_path}")
