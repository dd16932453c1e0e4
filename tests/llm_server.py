"""A server on this machine that speaks as OpenAI, Azure and Gemini do, with known answers and the faults of real life.

By hand: ``python -m tests.llm_server answers.jsonl --port 8000``, where a line is ``{"text": …, "answer": …}``; or
``python -m tests.llm_server --synthetic 8 --fault rate_limited=0.05 --requests-per-minute 600`` without a file.
``GET /statistics`` tells what it has seen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from tests.llm_answers import NO_ENTITIES, answers_of_file, synthetic_answers
from tests.llm_limits import FaultChance, RateLimits, Tally
from tests.llm_wire import ERRORS, Fault, Received, answer_of, error_of, texts_of, tokens

__all__ = ["Fault", "LLMServer", "Received", "answers_of_file"]

AnswerOf = Callable[[str, str], str | None]  # system text, user text → answer; None: the text is not known
_KINDS = [fault.name.lower() for fault in Fault]
_CLOSING_S = 0.05  # what a request under way is granted when the server closes


class LLMServer:
    """The server, as a context manager; ``received`` and ``most_at_once`` tell what it saw.

    Where the last text of the user is not known, as in a conversation about an answer, the texts before it are tried.

    Args:
        answers: an answer for each user text, or a function of system and user text.
        otherwise: the answer to a text that is not known; without it such a request is the test's mistake, a 500.
        faults: what goes wrong with the first requests, in order of arrival; None is nothing.
        fault_of: what goes wrong with a request, after ``faults`` are used up.
        fault_shares: the share of requests, 0 to 1, that meet each fault by chance; ``seed`` is of that chance.
        key: the API key that must come with a request; None asks for none.
        retry_after: the ``Retry-After`` of RATE_LIMITED; for Gemini seconds, which go into its body.
        requests_per_minute: what is more is answered with 429; so is what is more than ``tokens_per_minute``.
        delay_s: seconds before each answer; ``stall_s`` is for STALLED.
        record: keep what comes in ``received``.
    """

    def __init__(
        self,
        answers: Mapping[str, str] | AnswerOf,
        *,
        otherwise: str | None = None,
        faults: Iterable[Fault | None] = (),
        fault_of: Callable[[Received], Fault | None] = lambda _received: None,
        fault_shares: Mapping[Fault, float] | None = None,
        seed: int = 0,
        key: str | None = None,
        retry_after: str | None = None,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        delay_s: float = 0.0,
        stall_s: float = 60.0,
        record: bool = True,
        port: int = 0,
    ) -> None:
        self.answer_of: AnswerOf = answers if callable(answers) else lambda _system, user: answers.get(user)
        self.otherwise = otherwise
        self.fault_of, self.key, self.retry_after = fault_of, key, retry_after
        self.delay_s, self.stall_s, self.record = delay_s, stall_s, record
        self.received: list[Received] = []
        self._faults = iter(faults)
        self._chance = FaultChance(fault_shares or {}, seed=seed)
        self._limits = RateLimits(requests_per_minute, tokens_per_minute)
        self._tally = Tally()
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def most_at_once(self) -> int:
        """The most requests that were under way at the same time."""
        return self._tally.most_at_once

    @property
    def statistics(self) -> dict[str, Any]:
        """What ``GET /statistics`` answers."""
        return self._tally.as_mapping()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        # A client that hangs up ends its request, so that what it asks next is not counted beside it.
        http = web.Server(self._respond, handler_cancellation=True, access_log=None)
        listening = await self._loop.create_server(http, sock=self._socket, backlog=1024)
        await self._closing.wait()
        listening.close()
        await http.shutdown(_CLOSING_S)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            known = request.path == "/statistics"
            return _json_response(200, self.statistics) if known else web.Response(status=404)
        raw = await request.content.read()
        body = orjson.loads(raw)
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.raw_path, headers, body, *texts_of(body))
        if self.record:
            self.received.append(received)
        identity, attempt = self._tally.begin(raw)
        try:
            over_limit_s = self._limits.admit(received.input_tokens)
            if over_limit_s:
                self._tally.over_limit += 1
                return self._too_many(received, over_limit_s)
            fault = next(self._faults, None) or self.fault_of(received) or self._chance.draw(identity, attempt)
            if not self._key_is_right(received):
                fault = Fault.KEY_REFUSED
            if fault is not None:
                self._tally.faults[fault] += 1
            wait_s = self.stall_s if fault is Fault.STALLED else self.delay_s
            if wait_s:
                await asyncio.sleep(wait_s)
        finally:
            self._tally.end()
        if fault in (Fault.DROPPED, Fault.STALLED):
            if request.transport is not None:
                request.transport.close()
            return web.Response()  # which nobody gets
        response = self._response(received, fault)
        await response.prepare(request)
        await response.write_eof()
        if fault is None:
            self._tally.answered(identity)
        return response

    def _response(self, received: Received, fault: Fault | None) -> web.Response:
        if fault is Fault.NOT_JSON:
            return web.Response(text="<html>Welcome to the hotel's wireless network</html>", content_type="text/html")
        if fault is Fault.NO_CHOICE:
            return _json_response(200, {})
        if fault in ERRORS:
            status, error, headers = error_of(received, fault, self.retry_after)
            return _json_response(status, error, headers | self._limits.headers())
        answer = self._answer(received)
        self._limits.charge(tokens(answer))
        return _json_response(200, answer_of(received, answer, fault), self._limits.headers())

    def _answer(self, received: Received) -> str:
        for role, text in reversed(received.turns):
            if role == "user" and (answer := self.answer_of(received.system, text)) is not None:
                return answer
        if self.otherwise is None:
            raise LookupError(f"the tests' server was given no answer to {received.user!r:.200}")
        return self.otherwise

    def _too_many(self, received: Received, wait_s: float) -> web.Response:
        status, error, headers = error_of(received, Fault.RATE_LIMITED, f"{wait_s:.3f}")
        if headers:  # whole seconds in HTTP's own header, and OpenAI's beside it
            headers = {"Retry-After": str(math.ceil(wait_s)), "retry-after-ms": str(math.ceil(wait_s * 1000))}
        return _json_response(status, error, headers | self._limits.headers())

    def _key_is_right(self, received: Received) -> bool:
        headers = received.headers
        given = headers.get("x-goog-api-key") or headers.get("api-key") or headers.get("authorization", "")
        return self.key in (None, given.removeprefix("Bearer "))


def _json_response(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    try:
        encoded = orjson.dumps(body)
    except orjson.JSONEncodeError:  # half a surrogate pair, which a model can write as an escape
        encoded = json.dumps(body).encode()
    return web.Response(status=status, body=encoded, headers=headers, content_type="application/json")


def _share(text: str) -> tuple[Fault, float]:
    name, _, share = text.partition("=")
    if name.upper() not in Fault.__members__:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(_KINDS)}")
    return Fault[name.upper()], float(share)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path, nargs="?", help="a JSONL file of texts and their answers")
    parser.add_argument("--synthetic", type=int, metavar="N", help="in its place: at most N mentions, found by a rule")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--stall", type=float, default=60.0, help="seconds before a stalled connection is dropped")
    parser.add_argument(
        "--fault",
        type=_share,
        action="append",
        default=[],
        metavar="KIND=SHARE",
        help=f"the share of requests that meet a fault, such as dropped=0.01: {', '.join(_KINDS)}",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--retry-after", help="what a rate_limited request is told, in seconds or as a date")
    parser.add_argument("--requests-per-minute", type=float)
    parser.add_argument("--tokens-per-minute", type=float)
    parser.add_argument("--no-record", action="store_true", help="keep no requests in memory")
    arguments = parser.parse_args()
    if (arguments.answers is None) == (arguments.synthetic is None):
        parser.error("give a file of answers, or --synthetic N")
    answers = answers_of_file(arguments.answers) if arguments.answers else synthetic_answers(arguments.synthetic)
    server = LLMServer(
        answers,
        otherwise=NO_ENTITIES,
        fault_shares=dict(arguments.fault),
        seed=arguments.seed,
        retry_after=arguments.retry_after,
        requests_per_minute=arguments.requests_per_minute,
        tokens_per_minute=arguments.tokens_per_minute,
        delay_s=arguments.delay,
        stall_s=arguments.stall,
        record=not arguments.no_record,
        port=arguments.port,
    )
    with server:
        print(f"llm.base_url={server.url}/v1 for llm=local, llm.base_url={server.url} for llm=gemini", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
