"""The test server's own promises: what it answers, how it fails and limits, and what it counts."""

from __future__ import annotations

import http.client
import json
import math
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.llm.asking import QUESTION, TEXT, ask, client_of, server
from tests.llm_limits import FaultChance, RateLimits, duration
from tests.llm_server import Fault, LLMServer


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def text(self) -> Any:
        return self.body["choices"][0]["message"]["content"]


def _post(url: str, *turns: str) -> _Response:
    """Ask in a conversation of user, assistant, user … turns."""
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(turns)]
    return _request(url, "POST", "/v1/chat/completions", {"messages": [{"role": "system", "content": ""}, *messages]})


def _request(url: str, method: str, path: str, body: Any = None) -> _Response:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return _Response(response.status, headers, json.loads(response.read()))
    finally:
        connection.close()


@contextmanager
def _command(*arguments: str) -> Iterator[str]:
    """The server as a command; gives its URL."""
    command = [sys.executable, "-m", "tests.llm_server", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split("/v1")[0].removeprefix("llm.base_url=")
        process.terminate()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_the_server_answers_out_of_a_file(tmp_path: Path) -> None:
    entities = [{"entity_match": name, "entity_class": "gene"} for name in ("BRCA1", "TP53")]
    record = {"text": "BRCA1 here. TP53 there.", "answer": json.dumps({"entities": entities})}
    (tmp_path / "answers.jsonl").write_text(json.dumps(record) + "\n")
    with _command(str(tmp_path / "answers.jsonl")) as url:
        found = [
            [entity["entity_match"] for entity in json.loads(ask(client_of("openai", url), question).text)["entities"]]
            for text in ("BRCA1 here. TP53 there.", "TP53 there.", "Nothing known.")
            for question in [replace(QUESTION, user=text)]
        ]
    assert found == [["BRCA1", "TP53"], ["TP53"], []]


def test_without_a_file_it_answers_by_the_endings_of_words() -> None:
    with _command("--synthetic", "2", "--no-record", "--fault", "server_error=0") as url:
        text = "Gout, arthritis (and rituximab): arthritis."
        found = [json.loads(_post(url, *turns).text)["entities"] for turns in ((text,), (text, "{", "?"), ("Gout.",))]
        statistics = _request(url, "GET", "/statistics").body
    mentions = [("arthritis", "Disease"), ("rituximab", "Chemical")]
    expected = [{"entity_match": match, "entity_class": label} for match, label in mentions]
    assert found == [expected, expected, []]
    assert (statistics["requests"], statistics["answered"], statistics["repeated"]) == (3, 3, 0)
    assert 0 < statistics["first_request"] <= statistics["last_request"] <= time.time()


def test_a_message_about_an_answer_gets_the_answer_to_the_text_before_it() -> None:
    with LLMServer({"A": "an answer", "B": "another"}) as llm_server:
        response = _post(llm_server.url, "B", "what?", "A", "nothing", "That is no JSON.")
    (received,) = llm_server.received
    assert response.text == "an answer"
    assert received.user == "That is no JSON."
    assert [text for _, text in received.turns] == ["B", "what?", "A", "nothing", "That is no JSON."]
    assert [role for role, _ in received.turns] == ["user", "assistant"] * 2 + ["user"]


def test_a_longer_conversation_takes_more_tokens() -> None:
    with server() as llm_server:
        short, long = (_post(llm_server.url, *turns).body["usage"] for turns in (("A",), ("A", "B", "C")))
    assert 0 < short["prompt_tokens"] < long["prompt_tokens"]
    assert short["completion_tokens"] == long["completion_tokens"] == math.ceil(len(TEXT) / 4)


def test_faults_come_in_their_shares_and_every_attempt_draws_anew() -> None:
    shares = {Fault.RATE_LIMITED: 0.05, Fault.DROPPED: 0.2}
    first, again, other = (
        [FaultChance(shares, seed=seed).draw(b"%d" % number, attempt) for number in range(5000) for attempt in (1, 2)]
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first[::2] != first[1::2]
    drawn = Counter(first)
    assert drawn[Fault.RATE_LIMITED] / len(first) == pytest.approx(0.05, abs=0.01)
    assert drawn[Fault.DROPPED] / len(first) == pytest.approx(0.2, abs=0.02)
    with pytest.raises(ValueError, match="between 0 and 1"):
        FaultChance({Fault.CUT: 0.6, Fault.SAFETY: 0.6}, seed=1)


def test_faults_by_chance_reach_the_client_and_the_statistics() -> None:
    with server(fault_shares={Fault.SERVER_ERROR: 0.5}, seed=3) as llm_server:
        failed = [_post(llm_server.url, f"text {number}").status for number in range(40)].count(500)
    assert 0 < failed < 40
    assert llm_server.statistics["faults"] == {"server_error": failed}
    assert llm_server.statistics["answered"] == 40 - failed


def test_a_request_counts_as_repeated_once_it_was_answered_in_full() -> None:
    with server(faults=[Fault.SERVER_ERROR, Fault.MALFORMED]) as llm_server:
        repeated = []
        for _ in range(4):
            _post(llm_server.url, "A")
            repeated.append(llm_server.statistics["repeated"])
    assert repeated == [0, 0, 0, 1]
    assert llm_server.statistics["distinct"] == 1


def test_more_than_the_limit_is_told_when_to_come_back() -> None:
    with server(requests_per_minute=2, tokens_per_minute=90_000) as llm_server:
        first, second, third = (_post(llm_server.url, "A") for _ in range(3))
    assert [response.status for response in (first, second, third)] == [200, 200, 429]
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert [response.headers["x-ratelimit-remaining-requests"] for response in (first, second, third)] == [*"100"]
    assert first.headers["x-ratelimit-limit-tokens"] == "90000"
    assert int(first.headers["x-ratelimit-remaining-tokens"]) < 90_000
    assert first.headers["x-ratelimit-reset-tokens"].endswith("ms")
    assert 0 < int(third.headers["retry-after"]) <= 30
    assert 0 < int(third.headers["retry-after-ms"]) <= 30_000
    assert third.headers["x-ratelimit-reset-requests"].startswith(("59", "1m0s"))
    assert llm_server.statistics["over_limit"] == 1


@pytest.mark.parametrize(
    ("requests", "tokens", "passed"),
    [(60, None, 60 + 200), (None, 1500, 100 + 200 * 25 / 15), (60, 1500, 60 + 200), (6000, 1500, 100 + 200 * 25 / 15)],
)
def test_what_passes_is_a_full_bucket_and_what_fills_it(
    requests: float | None, tokens: float | None, passed: float
) -> None:
    now = 0.0
    limits = RateLimits(requests, tokens, lambda: now)
    admitted = 0
    while now < 200:
        if limits.admit(10) == 0:
            limits.charge(5)
            admitted += 1
        now += 0.1
    assert admitted == pytest.approx(passed, abs=3)


def test_the_wait_that_is_told_is_long_enough_and_no_longer() -> None:
    now = 0.0
    limits = RateLimits(30, 600, lambda: now)
    while limits.admit(7) == 0:
        pass
    wait_s = limits.admit(7)
    now = wait_s - 0.01
    assert limits.admit(7) > 0
    now = wait_s
    assert limits.admit(7) == 0


def test_no_limits_say_nothing_of_limits() -> None:
    with server() as llm_server:
        assert not [name for name in _post(llm_server.url, "A").headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (0.12, "120ms"), (1, "1s"), (8.64, "8.64s"), (360, "6m0s"), (3725, "1h2m5s"), (7200, "2h0m0s")],
)
def test_a_time_has_the_form_of_openais_headers(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("settings", [{"delay_s": 60.0}, {"faults": [Fault.STALLED]}])
def test_the_server_closes_at_once_with_requests_under_way(settings: dict[str, Any]) -> None:
    outcomes: list[object] = []

    def post(url: str) -> None:
        try:
            outcomes.append(_post(url, "A"))
        except (OSError, http.client.HTTPException) as error:
            outcomes.append(error)

    with server(**settings) as llm_server:
        asking = threading.Thread(target=post, args=(llm_server.url,))
        asking.start()
        _wait_until(lambda: bool(llm_server.received))
        begun = time.monotonic()
    asking.join(timeout=30)
    assert time.monotonic() - begun < 30
    assert not isinstance(outcomes[0], _Response)


def test_who_hangs_up_is_no_longer_under_way() -> None:
    with server(delay_s=60) as llm_server:
        for _ in range(3):
            connection = http.client.HTTPConnection(llm_server.url.removeprefix("http://"))
            connection.request(
                "POST", "/v1/chat/completions", json.dumps({"messages": [{"role": "user", "content": "A"}]})
            )
            _wait_until(lambda: llm_server.statistics["under_way"] == 1)
            connection.close()
            _wait_until(lambda: llm_server.statistics["under_way"] == 0)
        assert llm_server.most_at_once == 1
