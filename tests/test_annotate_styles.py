"""Other forms of question and answer, from the configuration to the spans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kazu_distill.annotation.styles.guidelines import Guidelines
from kazu_distill.annotation.styles.inline_tags import InlineTags
from kazu_distill.annotation.styles.style import Style
from kazu_distill.annotation.styles.token_lines import TokenLines
from kazu_distill.documents import Span
from kazu_distill.schema import Schema
from tests.annotating import ANSWERS, SPANS, TEXTS, answer, arguments, by_dictionary, found_in, lines_of
from tests.llm_server import Fault, LLMServer, Received
from tests.stages import fail, run_stage, succeed

SCHEMA = Schema(name="bc5cdr", classes={"Chemical": {}, "Disease": {}})
GUMS = "Aspirin (ASA) and aspirin. Gout, aspirin.\n\nGout again. Aspirin."


def gold(key: str) -> list[Span]:
    """The spans of a text, each the next place of its mention."""
    text, at, spans = TEXTS[key], 0, []
    for mention, label in SPANS[key]:
        start = text.index(mention, at)
        spans.append(Span(start, start + len(mention), label))
        at = start if key in ("nested", "both") else start + len(mention)
    return spans


@pytest.mark.parametrize(
    ("prompt", "style"), [("inline", InlineTags()), ("tokens", TokenLines()), ("guidelines", Guidelines())]
)
def test_a_corpus_is_labelled_in_another_form(prompt: str, style: Style, tmp_path: Path) -> None:
    answers = {TEXTS[key]: style.render(TEXTS[key], gold(key), SCHEMA) for key in ANSWERS}
    with LLMServer(answers) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", f"prompt={prompt}"))
        assert len(server.received) == len(ANSWERS)
        assert all("response_format" not in received.body for received in server.received)
    assert found_in(tmp_path) == SPANS


def test_a_class_is_asked_about_at_a_time_and_the_answers_become_one(tmp_path: Path) -> None:
    def answer_of(system: str, user: str) -> str:
        [key] = [key for key, text in TEXTS.items() if text == user]
        label = "Chemical" if 'What describes "Chemical"' in system else "Disease"
        return json.dumps([mention for mention, other in SPANS[key] if other == label])

    with LLMServer(answer_of) as server:
        command = arguments(tmp_path, server, "local", "prompt=one_class")
        succeed("annotate", *command, "plan=true")
        plan = json.loads((tmp_path / "out/plan.json").read_text())
        assert plan["voters"]["m"]["requests"] == 2 * len(ANSWERS)
        succeed("annotate", *command)
        assert len(server.received) == 2 * len(ANSWERS)
    assert found_in(tmp_path) == SPANS
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["spans_per_class"] == {"Disease": 6, "Chemical": 5}


def test_no_span_is_lost_where_mentions_of_different_questions_alternate(tmp_path: Path) -> None:
    text = "Gout, aspirin, gout, aspirin, gout. Aspirin."

    def answer_of(system: str, _user: str) -> str:
        return json.dumps(["aspirin", "aspirin", "Aspirin"] if "Chemical" in system else ["Gout", "gout", "gout"])

    with LLMServer(answer_of) as server:
        command = arguments(tmp_path, server, "local", "prompt=one_class", "grounding.occurrences=listed", one=text)
        succeed("annotate", *command)
    assert [mention for mention, _ in found_in(tmp_path)["one"]] == text.replace(",", "").replace(".", "").split()
    grounding = json.loads((tmp_path / "out/report.json").read_text())["grounding"]
    assert {status: count for status, count in grounding.items() if count} == {"exact": 6}


def test_of_the_questions_about_a_text_only_the_one_that_failed_is_asked_again(tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        return Fault.SAFETY if broken and "Disease" in received.system else None

    def answer_of(system: str, _user: str) -> str:
        return answer([("Gout", "Disease")] if "Disease" in system else [("Aspirin", "Chemical")])

    with LLMServer(answer_of, fault_of=fault_of) as server:
        command = arguments(tmp_path, server, "local", "prompt.class_by_class=true", one="Aspirin for Gout.")
        broken = True
        assert run_stage("annotate", *command).status != 0
        [failure] = lines_of(tmp_path / "out/failed.jsonl")
        assert (failure["asked"], failure["kind"]) == (["Disease"], "stopped: safety")
        broken = False
        asked = len(server.received)
        succeed("annotate", *command, "retry_failed=true")
        [again] = server.received[asked:]
        assert "Disease" in again.system
    assert found_in(tmp_path) == {"one": [("Aspirin", "Chemical"), ("Gout", "Disease")]}


def test_a_question_that_is_too_much_is_halved_alone(tmp_path: Path) -> None:
    text = " ".join(f"Patient {number} took aspirin and slept." for number in range(40))

    def fault_of(received: Received) -> Fault | None:
        return Fault.TOO_LONG if "Disease" in received.system and len(received.user) > 1000 else None

    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", "prompt.class_by_class=true", one=text))
        asked = ["Disease" if "Disease" in received.system else "Chemical" for received in server.received]
    assert sorted(asked) == ["Chemical", "Disease", "Disease", "Disease"]
    assert len(found_in(tmp_path)["one"]) == 40


def test_what_is_too_long_in_the_smallest_part_says_what_to_change(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin"), fault_of=lambda _: Fault.TOO_LONG) as server:
        command = arguments(tmp_path, server, "local", "chunks.context_tokens=50", one="Patients took aspirin. " * 40)
        assert run_stage("annotate", *command).status != 0
    messages = {failure["message"] for failure in lines_of(tmp_path / "out/failed.jsonl")}
    assert len(messages) == 1
    ways = (
        "prompt.class_by_class=true; shorter definitions in the schema; chunks.context_tokens=0; a model with a longer"
    )
    assert ways in messages.pop()


def test_one_class_a_question_wants_a_question_for_each(tmp_path: Path) -> None:
    with LLMServer({}) as server:
        message = fail(
            "annotate", *arguments(tmp_path, server, "local", "prompt=one_class", "prompt.class_by_class=false")
        )
    assert "set prompt.class_by_class=true" in message


def test_a_copy_that_leaves_a_part_out_is_asked_for_again(tmp_path: Path) -> None:
    text = "Aspirin was given to all patients of the ward on the first day. Gout was cured in nine of them by then."
    whole = text.replace("Gout", "<disease>Gout</disease>").replace("Aspirin", "<chemical>Aspirin</chemical>")
    with LLMServer(lambda _system, user: whole[:60] if user == text else whole) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", "prompt=inline", one=text))
        second = server.received[1]
        assert len(server.received) == 2
        assert "the copy of the text ends before the text does" in second.user
        assert "the whole text with its tags, and nothing else" in second.user
    assert found_in(tmp_path) == {"one": [("Aspirin", "Chemical"), ("Gout", "Disease")]}


@pytest.mark.parametrize(
    ("occurrences", "found"),
    [
        ("listed", ["aspirin@18", "Gout@27"]),
        ("all", ["aspirin@18", "Gout@27"]),
        ("document", ["aspirin@18", "Gout@27", "Gout@43", "Aspirin@55"]),
    ],
)
def test_what_a_copy_does_not_mark_is_none_there_but_may_be_one_in_another_part(
    occurrences: str, found: list[str], tmp_path: Path
) -> None:
    text = GUMS

    def answer_of(_system: str, user: str) -> str:
        return user.replace("and aspirin", "and <chemical>aspirin</chemical>").replace(
            "Gout,", "<disease>Gout</disease>,"
        )

    with LLMServer(answer_of) as server:
        command = arguments(tmp_path, server, "local", "prompt=inline", "chunks.tokens=14", one=text)
        succeed("annotate", *command, f"grounding.occurrences={occurrences}")
        assert len(server.received) == 2
    [document] = lines_of(tmp_path / "out/documents.jsonl")
    spans = [span for section in document["sections"] for span in section["spans"]]
    assert [f"{text[span['start'] : span['end']]}@{span['start']}" for span in spans] == found
