"""Runs that go wrong, are stopped, planned, or gone on with: nothing is lost and nothing paid twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.annotating import ANSWERS, SPANS, TEXTS, answer, arguments, by_dictionary, found_in, known, lines_of
from tests.llm_server import Fault, LLMServer, Received
from tests.stages import REPOSITORY, fail, run_stage, succeed

MANY = {f"d{number}": f"Patient {number} took aspirin and slept." for number in range(60)}
PRICE = ["llm.price.input_per_million=1000", "llm.price.output_per_million=1000", "llm.price.taken=2026-11-01"]


def priced(command: list[str]) -> list[str]:
    """A command with a price of a dollar for a thousand tokens."""
    return [*command, *PRICE]


def test_an_invalid_answer_is_asked_for_again_with_what_was_wrong(tmp_path: Path) -> None:
    with LLMServer(known(ANSWERS), faults=[Fault.MALFORMED]) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", "llm.max_concurrency=1", beyond=TEXTS["beyond"]))
        assert found_in(tmp_path) == {"beyond": SPANS["beyond"]}
        first, second = server.received
        asked = [turn["content"] for turn in second.body["messages"]]
        assert asked[1] == first.user == TEXTS["beyond"]
        assert "Your answer cannot be used" in second.user
        succeed("annotate", *arguments(tmp_path, server, "local", beyond=TEXTS["beyond"]))
        assert len(server.received) == 2, "the wrong answer and the right one are both in the store"
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["answer_faults"]["invalid answer, asked again"] == 1


def test_of_answers_that_stay_invalid_what_is_whole_is_kept(tmp_path: Path) -> None:
    cut = answer([("famotidine", "Chemical"), ("delirium", "Disease")])[:-20]
    with LLMServer(lambda _system, _user: cut) as server:
        succeed("annotate", *arguments(tmp_path, server, beyond=TEXTS["beyond"]))
        assert len(server.received) == 3
    assert found_in(tmp_path) == {"beyond": [("Famotidine", "Chemical")]}


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault.SAFETY, "stopped: safety"), (Fault.RECITATION, "stopped: recitation")]
)
def test_a_text_that_a_filter_stops_is_asked_about_in_halves_before_it_fails(
    fault: Fault, kind: str, tmp_path: Path
) -> None:
    texts = {"long": " ".join(f"Patient {number} took aspirin and slept." for number in range(40)), **MANY}

    def fault_of(received: Received) -> Fault | None:
        return fault if len(received.user) > 900 or "Patient 7 took" in received.user else None

    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        command = arguments(tmp_path, server, "gemini", "llm.api_key_env=null", **texts)
        run = run_stage("annotate", *command)
        assert run.status == 3
    assert {line["kind"] for line in lines_of(tmp_path / "out/failed.jsonl")} == {kind}
    failed = [line["document_id"] for line in lines_of(tmp_path / "out/failed.jsonl")]
    assert failed == ["long", "d7"]
    assert set(found_in(tmp_path)) == set(MANY) - {"d7"}


def test_what_failed_is_asked_again_alone(tmp_path: Path) -> None:
    bad = {"d7", "d9"}

    def fault_of(received: Received) -> Fault | None:
        return Fault.SAFETY if broken and any(MANY[name] == received.user for name in bad) else None

    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        command = arguments(tmp_path, server, **MANY)
        broken = True
        assert run_stage("annotate", *command).status == 3
        broken = False
        assert run_stage("annotate", *command).status == 3, "the stored answers are used"
        asked = len(server.received)
        corpus = tmp_path / "corpus.jsonl"
        corpus.write_text(corpus.read_text() + json.dumps({"id": "new", "text": "Later, aspirin."}) + "\n")
        command = [argument for argument in command if not argument.startswith("corpus.path")]
        run = succeed("annotate", *command, f"corpus.path={corpus}", "retry_failed=true")
        # In any order, since several are asked at once.
        assert sorted(request.user for request in server.received[asked:]) == [MANY["d7"], MANY["d9"]]
    assert "1 documents are left" in run.printed
    assert found_in(tmp_path) == {name: [("aspirin", "Chemical")] for name in MANY}
    assert (tmp_path / "out/failed.jsonl").read_bytes() == b""
    assert "failed.jsonl" in fail("annotate", *arguments(tmp_path, server), f"out={tmp_path}/2", "retry_failed=true")


def test_a_run_that_is_going_wrong_ends_early_and_keeps_what_it_has(tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        return Fault.REJECTED if int(received.user.split()[1]) % 2 else None

    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        command = arguments(tmp_path, server, "local", "llm.max_concurrency=1", **MANY)
        message = fail("annotate", *command)
        assert len(server.received) < 40
    assert "of the first 20 documents failed (max_failed_share=0.2), most often so: rejected" in message
    assert len(message.splitlines()) == 1
    assert len(found_in(tmp_path)) == 10
    assert len(lines_of(tmp_path / "out/failed.jsonl")) == 10


def test_a_quota_that_ends_in_the_middle_ends_the_run_and_keeps_what_it_has(tmp_path: Path) -> None:
    faults: list[Fault | None] = [None] * 30
    with LLMServer(by_dictionary("aspirin"), faults=[*faults, Fault.QUOTA_USED_UP]) as server:
        command = arguments(tmp_path, server, "local", "llm.max_concurrency=1", **MANY)
        message = fail("annotate", *command)
        assert "quota" in message
        assert len(message.splitlines()) == 1
        assert len(found_in(tmp_path)) == 30
        report = json.loads((tmp_path / "out/report.json").read_text())
        assert "quota" in report["stopped"]
        succeed("annotate", *command)
        assert len(found_in(tmp_path)) == 60
        assert len(server.received) == 61, "only the request that was refused was made again"


def test_a_plan_says_what_it_would_cost_and_asks_nothing(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin")) as server:
        command = priced(arguments(tmp_path, server, **MANY))
        run = succeed("annotate", *command, "plan=true", "llm.api_key_env=SURELY_NOT_SET")
        assert not server.received
        assert "60 documents, 60 sections, 60 chunks; nothing was asked" in run.printed
        assert "as of 2026-11-01" in run.printed
        before = json.loads((tmp_path / "out/plan.json").read_text())
        succeed("annotate", *command)
        report = json.loads((tmp_path / "out/report.json").read_text())
        succeed("annotate", *command, "plan=true")
    assert before["cost_usd"]["low"] <= before["cost_usd"]["expected"] <= before["cost_usd"]["high"]
    assert before["cost_usd"]["low"] / 2 < report["cost_usd"] < before["cost_usd"]["high"] * 2
    after = json.loads((tmp_path / "out/plan.json").read_text())
    assert after["voters"]["m"]["to_ask"] == 0
    assert after["cost_usd"]["expected"] == 0


def test_a_budget_stops_a_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin")) as server:
        command = priced(arguments(tmp_path, server, "local", "budget_usd=10", **MANY))
        seen = []
        for _ in range(20):
            run = succeed("annotate", *command)
            report = json.loads((tmp_path / "out/report.json").read_text())
            assert 0 < report["cost_usd"] <= 10
            seen.append(report["documents"])
            if not report["left_documents"]:
                break
            assert f"{60 - seen[-1]:,} documents are left, not asked" in run.printed
            assert len(found_in(tmp_path)) == seen[-1]
        assert seen == sorted(set(seen))
        assert seen[-1] == 60
        assert len(seen) > 2
        assert len(server.received) == 60
    assert found_in(tmp_path) == {name: [("aspirin", "Chemical")] for name in MANY}


def test_a_budget_is_kept_where_answers_are_longer_than_texts_let_expect(tmp_path: Path) -> None:
    long = answer([("aspirin", "Chemical")] * 60)
    with LLMServer(lambda _system, _user: long) as server:
        succeed("annotate", *priced(arguments(tmp_path, server, "local", "budget_usd=30", **MANY)))
        report = json.loads((tmp_path / "out/report.json").read_text())
    assert 15 < report["cost_usd"] <= 30


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin"), delay_s=0.3) as server:
        command = arguments(tmp_path, server, "local", "llm.max_concurrency=2", **MANY)
        first = subprocess.Popen(
            [sys.executable, "-m", "kazu_distill.annotate", *command], cwd=REPOSITORY, stdout=subprocess.DEVNULL
        )
        while not server.received:
            time.sleep(0.01)
        assert "another run is writing this file" in fail("annotate", *command)
        assert first.wait() == 0
    assert found_in(tmp_path) == {name: [("aspirin", "Chemical")] for name in MANY}


def test_a_run_that_is_stopped_loses_neither_documents_nor_failures_of_the_one_before(tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        return fault if received.user == MANY["d7"] else None

    fault: Fault | None = Fault.REJECTED
    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        command = arguments(tmp_path, server, **MANY)
        assert run_stage("annotate", *command).status == 3
        before = (tmp_path / "out/failed.jsonl").read_bytes()
        fault = Fault.QUOTA_USED_UP
        assert "quota" in fail("annotate", *command, "retry_failed=true")
        assert (tmp_path / "out/failed.jsonl").read_bytes() == before
        assert len(found_in(tmp_path)) == 59
        (tmp_path / "out/answers.sqlite").unlink()
        assert "quota" in fail("annotate", *command, "llm.max_concurrency=1")
        assert len(found_in(tmp_path)) == 59, "the new run has fewer"


def test_values_of_the_wrong_kind_are_one_line(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin")) as server:
        command = arguments(tmp_path, server, **MANY)
        for override in (
            "plan=no", "retry_failed=no", "max_failed_share=abc", "budget_usd=abc", "llm.max_concurrency=1.5",
            "llm.samples=1.5", "llm.timeout_s=0", "llm.tokens_per_minute=many", "llm.base_url=http://me:pass@host/v1",
        ):  # fmt: skip
            message = fail("annotate", *command, override)
            assert len(message.splitlines()) == 1, message
            assert override.split("=")[0] in message
            assert "pass@" not in message
        assert not server.received


def test_a_budget_that_pays_for_nothing_says_so(tmp_path: Path) -> None:
    with LLMServer(by_dictionary("aspirin")) as server:
        message = fail("annotate", *priced(arguments(tmp_path, server, "local", "budget_usd=0.001", **MANY)))
        assert "budget_usd does not pay for the first request" in message
        assert not server.received


def test_a_run_that_is_killed_again_and_again_loses_nothing_and_asks_little_twice(tmp_path: Path) -> None:
    texts = {f"d{number}": f"Patient {number} took aspirin and slept." for number in range(300)}
    concurrency, chance = 4, random.Random(7)
    with LLMServer(by_dictionary("aspirin"), delay_s=0.02) as server:
        undisturbed = arguments(tmp_path, server, "local", f"out={tmp_path / 'undisturbed'}", **texts)
        succeed("annotate", *undisturbed)
        server.received.clear()
        command = arguments(tmp_path, server, "local", f"llm.max_concurrency={concurrency}", **texts)
        kills = 0
        while not (tmp_path / "out/documents.jsonl").exists():
            already = len(server.received)
            process = subprocess.Popen(
                [sys.executable, "-m", "kazu_distill.annotate", *command],
                cwd=REPOSITORY, env={**os.environ, "COLUMNS": "200"}, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            # The first ones are killed in the middle of asking, whatever time the start takes.
            enough = already + chance.randrange(20, 60)
            while process.poll() is None and not (kills < 4 and len(server.received) >= enough):
                time.sleep(0.002)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
        asked = Counter(request.user for request in server.received)
    assert kills == 4
    assert sum(asked.values()) - len(asked) <= kills * concurrency
    assert len(asked) == len(texts)
    assert (tmp_path / "out/documents.jsonl").read_bytes() == (tmp_path / "undisturbed/documents.jsonl").read_bytes()


def test_a_slow_answer_holds_nobody_up_and_the_order_stays(tmp_path: Path) -> None:
    def fault_of(received: Received) -> Fault | None:
        slow = received.user == MANY["d0"] and not any(request.user == MANY["d0"] for request in earlier)
        earlier.append(received)
        return Fault.STALLED if slow else None

    earlier: list[Received] = []
    with LLMServer(by_dictionary("aspirin"), fault_of=fault_of) as server:
        succeed("annotate", *arguments(tmp_path, server, "local", "llm.max_concurrency=2", "llm.timeout_s=1", **MANY))
        assert server.received[-1].user == MANY["d0"], "all the others were asked meanwhile"
    assert list(found_in(tmp_path)) == list(MANY)
