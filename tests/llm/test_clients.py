"""Each client against a real server: what it sends, what it makes of answers and of faults."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path

import pytest

from kazu_distill.errors import ConfigError
from kazu_distill.llm.protocol import (
    Dropped,
    FinishReason,
    LLMError,
    RateLimited,
    Refused,
    Rejected,
    Request,
    ServerFailed,
    TimedOut,
    TooLong,
    Unreachable,
)
from tests.llm.asking import KEY, KEY_ENV, QUESTION, SCHEMA, TEXT, ask, client_of, server
from tests.llm_server import Fault

PROVIDERS = ["openai", "local", "azure", "gemini"]
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_answer_comes_back_with_its_usage_and_latency(provider: str) -> None:
    with server() as llm_server:
        answer = ask(client_of(provider, llm_server.url))
    assert answer.text == TEXT
    assert answer.finish_reason is FinishReason.STOP
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert 0 < answer.latency_s < 10


def test_the_question_arrives_whole_with_the_key_in_a_header_only(provider: str) -> None:
    with server(key=KEY) as llm_server:
        ask(client_of(provider, llm_server.url))
    (received,) = llm_server.received
    assert (received.system, received.user) == (QUESTION.system, QUESTION.user)
    assert KEY not in received.path
    assert KEY not in json.dumps(received.body)


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("openai", "/v1/chat/completions"),
        ("azure", "/openai/deployments/small-model/chat/completions?api-version=2024-10-21"),
        ("gemini", "/v1beta/models/small-model:generateContent"),
    ],
)
def test_each_provider_is_asked_at_its_own_path(provider: str, path: str) -> None:
    with server() as llm_server:
        ask(client_of(provider, llm_server.url))
    assert llm_server.received[0].path == path


@pytest.mark.parametrize(("provider", "name"), [("openai", "max_completion_tokens"), ("local", "max_tokens")])
def test_the_token_limit_goes_by_the_name_that_the_server_knows(provider: str, name: str) -> None:
    with server() as llm_server:
        ask(client_of(provider, llm_server.url))
    body = llm_server.received[0].body
    assert body[name] == 100
    assert len({"max_tokens", "max_completion_tokens"} & set(body)) == 1


def test_openai_holds_the_answer_to_the_schema_unless_told_not_to() -> None:
    with server() as llm_server:
        ask(client_of("openai", llm_server.url))
        ask(client_of("openai", llm_server.url, structured=False))
    first, second = (received.body for received in llm_server.received)
    assert first["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": SCHEMA}
    assert "response_format" not in second


def test_gemini_is_asked_for_json_with_its_filters_off() -> None:
    with server() as llm_server:
        ask(client_of("gemini", llm_server.url))
    body = llm_server.received[0].body
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    assert body["generationConfig"]["responseSchema"]["properties"]["entities"]["type"] == "ARRAY"
    assert {setting["threshold"] for setting in body["safetySettings"]} == {"BLOCK_NONE"}


def test_sampling_that_is_null_is_left_out_of_the_request(provider: str) -> None:
    with server() as llm_server:
        ask(client_of(provider, llm_server.url, temperature=None, top_p=None))
    sent = json.dumps(llm_server.received[0].body)
    assert not [name for name in ("temperature", "top_p", "topP") if f'"{name}"' in sent]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.CUT, FinishReason.LENGTH),
        (Fault.MALFORMED, FinishReason.STOP),
        (Fault.SAFETY, FinishReason.SAFETY),
        (Fault.PROMPT_BLOCKED, FinishReason.SAFETY),
    ],
)
def test_an_answer_that_is_not_whole_says_why(provider: str, fault: Fault, reason: FinishReason) -> None:
    with server(faults=[fault]) as llm_server:
        answer = ask(client_of(provider, llm_server.url))
    assert answer.finish_reason is reason
    assert answer.text == (TEXT[: len(TEXT) // 2] if fault in (Fault.CUT, Fault.MALFORMED) else "")


@pytest.mark.parametrize(("provider", "reason"), [("gemini", FinishReason.RECITATION), ("openai", FinishReason.OTHER)])
def test_recitation_is_never_taken_for_an_answer(provider: str, reason: FinishReason) -> None:
    with server(faults=[Fault.RECITATION]) as llm_server:
        assert ask(client_of(provider, llm_server.url)).finish_reason is reason


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.RATE_LIMITED, RateLimited, "too many requests"),
        (Fault.QUOTA_USED_UP, Refused, f"the quota of the key in {KEY_ENV} is used up"),
        (Fault.SERVER_ERROR, ServerFailed, "the server failed (500)"),
        (Fault.KEY_REFUSED, Refused, f"the key in {KEY_ENV} was not accepted"),
        (Fault.MODEL_UNKNOWN, Refused, "'small-model' is unknown to http://127.0.0.1"),
        (Fault.REJECTED, Rejected, "Something about this request is wrong"),
        (Fault.TOO_LONG, TooLong, "longer than the context of 'small-model'"),
        (Fault.DROPPED, Dropped, "dropped"),
        (Fault.NOT_JSON, ServerFailed, "what came back is no"),
    ],
)
def test_a_fault_becomes_the_error_that_says_what_to_do(
    provider: str, fault: Fault, error: type[LLMError], words: str
) -> None:
    with server(faults=[fault]) as llm_server, pytest.raises(error) as caught:
        ask(client_of(provider, llm_server.url))
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(llm_server.received) == 1, "an SDK retried on its own"


def test_a_server_that_stalls_is_given_up_after_the_timeout(provider: str) -> None:
    with (
        server(faults=[Fault.STALLED]) as llm_server,
        pytest.raises(TimedOut, match=r"no answer in time \(llm.timeout_s\)"),
    ):
        ask(client_of(provider, llm_server.url, timeout_s=0.2))


@pytest.mark.parametrize("provider", ["openai", "azure", "local"])
def test_a_completion_without_a_choice_is_a_failure_of_the_server(provider: str) -> None:
    with server(faults=[Fault.NO_CHOICE]) as llm_server, pytest.raises(ServerFailed, match="no chat completion"):
        ask(client_of(provider, llm_server.url))


@pytest.mark.parametrize("provider", ["openai", "azure", "local"])
def test_a_setting_that_the_model_does_not_take_ends_the_run(provider: str) -> None:
    with server(faults=[Fault.SETTING_UNKNOWN]) as llm_server, pytest.raises(Refused, match="'temperature'"):
        ask(client_of(provider, llm_server.url))


@pytest.mark.parametrize("provider", ["openai", "azure", "local"])
def test_a_server_that_knows_no_schema_ends_the_run_with_what_to_set(provider: str) -> None:
    with server(faults=[Fault.SCHEMA_UNKNOWN]) as llm_server, pytest.raises(Refused, match=r"llm\.structured=false"):
        ask(client_of(provider, llm_server.url))


@pytest.mark.parametrize(("retry_after", "seconds"), [("7", 7), ("0.5", 0.5)])
def test_a_rate_limit_says_how_long_to_wait(provider: str, retry_after: str, seconds: float) -> None:
    with (
        server(faults=[Fault.RATE_LIMITED], retry_after=retry_after) as llm_server,
        pytest.raises(RateLimited) as limit,
    ):
        ask(client_of(provider, llm_server.url))
    assert limit.value.retry_after_s == seconds


def test_a_rate_limit_may_give_a_date(provider: str) -> None:
    date = "Sun, 01 Jan 2150 00:00:00 GMT"
    with server(faults=[Fault.RATE_LIMITED], retry_after=date) as llm_server, pytest.raises(RateLimited) as limit:
        ask(client_of(provider, llm_server.url))
    assert limit.value.retry_after_s is not None
    assert limit.value.retry_after_s > 365 * 24 * 3600


def test_a_server_that_is_not_there_is_unreachable(provider: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"cannot reach http://127.0.0.1:{port}.*set llm.base_url"):
        ask(client_of(provider, f"http://127.0.0.1:{port}"))


def test_a_missing_key_is_told_before_anything_is_asked(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_ENV)
    with pytest.raises(Refused, match=f"no key: set the environment variable {KEY_ENV}"):
        client_of(provider, "http://127.0.0.1:1")
    assert client_of(provider, "http://127.0.0.1:1", offline=True)


def test_space_around_a_key_is_no_part_of_it(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, f" {KEY}\r\n")
    with server(key=KEY) as llm_server:
        assert ask(client_of(provider, llm_server.url)).text == TEXT


def test_a_key_that_cannot_be_one_is_told_without_showing_it(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_ENV, "two words")
    with pytest.raises(Refused, match="no key has") as caught:
        client_of(provider, "http://127.0.0.1:1")
    assert "two" not in str(caught.value)


def test_an_address_without_http_is_a_setting_to_mend(provider: str) -> None:
    with pytest.raises(ConfigError, match=r"llm.base_url=localhost:8000.*begins with http"):
        client_of(provider, "localhost:8000")


@pytest.mark.parametrize("fault", list(Fault))
def test_the_key_is_in_no_error_and_no_log(
    provider: str, fault: Fault, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    log = tmp_path / "run.log"
    handler = logging.FileHandler(log)
    logging.getLogger().addHandler(handler)
    with caplog.at_level(logging.DEBUG), server(faults=[fault]) as llm_server:
        try:
            ask(client_of(provider, llm_server.url, timeout_s=0.2 if fault is Fault.STALLED else 10))
        except LLMError as error:
            logging.getLogger("test").error("failed", exc_info=error)
    logging.getLogger().removeHandler(handler)
    handler.close()
    assert KEY not in caplog.text
    assert KEY not in log.read_text()


def test_a_thousand_characters_of_any_script_arrive_unchanged(provider: str) -> None:
    text = "".join(map(chr, (*range(32, 0x600), *range(0x4E00, 0x4E40), 0x1F600, 0x10FFFF)))
    with server() as llm_server:
        ask(client_of(provider, llm_server.url), Request("", text, SCHEMA))
    assert llm_server.received[0].user == text
