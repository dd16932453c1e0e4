"""Google's ended SDK, in an environment of its own, because it wants another protobuf than the rest of us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kazu_distill.errors import ConfigError
from kazu_distill.llm.gemini_legacy import GeminiLegacyClient
from kazu_distill.llm.stored_answer import request_key
from tests.llm.asking import KEY, KEY_ENV, QUESTION, TEXT, client_of, server
from tests.llm_server import Fault

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-gemini-legacy"  # kept between runs; git ignores it

# Asks over standard input and output, so that the environment needs nothing of ours but kazu_distill.llm.
_SCRIPT = """
import asyncio, json, sys
from kazu_distill.llm.gemini_legacy import GeminiLegacyClient
from kazu_distill.llm.protocol import LLMError, Request
from kazu_distill.llm.stored_answer import request_key
given = json.load(sys.stdin)
client = GeminiLegacyClient(**given["settings"])
request = Request(**given["request"])
async def outcome():
    try:
        answer = await client.ask(request)
    except LLMError as error:
        return {"error": type(error).__name__, "words": str(error), "retry_after_s": error.retry_after_s}
    finally:
        await client.close()
    return {"text": answer.text, "finish_reason": answer.finish_reason, "input_tokens": answer.usage.input_tokens}
print(json.dumps(asyncio.run(outcome()) | {"key": request_key(client.identity, request)}))
"""


@pytest.fixture(scope="module")
def legacy_python() -> Path:
    """The Python of the environment, made where it is not there yet."""
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "google-generativeai==0.8.6"]
        installed = subprocess.run(install, capture_output=True, text=True, check=False)
        if installed.returncode:
            pytest.skip(f"pip cannot install google-generativeai: {installed.stderr.strip()[-200:]}")
        (ENVIRONMENT / "complete").touch()
    return python


def _ask(python: Path, url: str, **settings: Any) -> dict[str, Any]:
    common = {"model": "small-model", "api_key_env": KEY_ENV, "temperature": 0.3, "top_p": 0.95}
    given = {
        "settings": common | {"max_output_tokens": 100, "timeout_s": 10, "base_url": url} | settings,
        "request": {"system": QUESTION.system, "user": QUESTION.user, "answer_schema": QUESTION.answer_schema},
    }
    process = subprocess.run(
        [python, "-c", _SCRIPT],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), KEY_ENV: KEY},
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert KEY not in process.stdout + process.stderr
    outcome = json.loads(process.stdout)
    assert isinstance(outcome, dict)
    return outcome


@pytest.mark.slow
def test_it_asks_the_same_as_the_current_sdk_and_shares_its_stored_answers(legacy_python: Path) -> None:
    with server(key=KEY) as llm_server:
        outcome = _ask(legacy_python, llm_server.url)
    (received,) = llm_server.received
    assert (outcome["text"], outcome["finish_reason"]) == (TEXT, "stop")
    assert outcome["input_tokens"] > 0
    assert (received.system, received.user) == (QUESTION.system, QUESTION.user)
    assert received.body["generationConfig"]["responseMimeType"] == "application/json"
    assert KEY not in received.path
    assert outcome["key"] == request_key(client_of("gemini", "http://127.0.0.1:1").identity, QUESTION)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.CUT, "length"),
        (Fault.SAFETY, "safety"),
        (Fault.PROMPT_BLOCKED, "safety"),
        (Fault.RECITATION, "recitation"),
    ],
)
def test_an_answer_that_is_not_whole_says_why(legacy_python: Path, fault: Fault, reason: str) -> None:
    with server(faults=[fault]) as llm_server:
        assert _ask(legacy_python, llm_server.url)["finish_reason"] == reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.RATE_LIMITED, "RateLimited", "too many requests"),
        (Fault.QUOTA_USED_UP, "Refused", "is used up"),
        (Fault.SERVER_ERROR, "ServerFailed", "the server failed (500)"),
        (Fault.KEY_REFUSED, "Refused", "was not accepted"),
        (Fault.MODEL_UNKNOWN, "Refused", "'small-model' is unknown"),
        (Fault.TOO_LONG, "TooLong", "longer than the context"),
        (Fault.REJECTED, "Rejected", "Something about this request is wrong"),
        (Fault.DROPPED, "Dropped", "dropped"),
        (Fault.STALLED, "TimedOut", "no answer in time"),
        (Fault.NOT_JSON, "ServerFailed", "no answer of Gemini"),
    ],
)
def test_a_fault_becomes_the_error_that_says_what_to_do(
    legacy_python: Path, fault: Fault, error: str, words: str
) -> None:
    with server(faults=[fault], retry_after="7") as llm_server:
        outcome = _ask(legacy_python, llm_server.url, timeout_s=0.5 if fault is Fault.STALLED else 10)
    assert outcome["error"] == error
    assert words in outcome["words"]
    assert outcome["retry_after_s"] == (7 if fault is Fault.RATE_LIMITED else None)
    assert len(llm_server.received) == 1, "the SDK retried on its own"


@pytest.mark.slow
def test_a_server_that_is_not_there_is_unreachable(legacy_python: Path) -> None:
    outcome = _ask(legacy_python, "http://127.0.0.1:9")
    assert outcome["error"] == "Unreachable"
    assert "cannot reach http://127.0.0.1:9" in outcome["words"]


def test_without_the_sdk_one_line_says_how_to_get_it() -> None:
    with pytest.raises(ConfigError, match=r'pip install "kazu-distill\[gemini-legacy\]"') as caught:
        GeminiLegacyClient(model="m", api_key_env=None, temperature=None, top_p=None, max_output_tokens=1, timeout_s=1)
    assert "\n" not in str(caught.value)
