"""A server on this machine that speaks as OpenAI, Azure and Gemini do, with known answers and the faults of real life.

By hand: ``python -m tests.llm_server answers.jsonl --port 8000``, where a line is ``{"text": …, "answer": …}``.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.llm_wire import ERRORS, Fault, Received, answer_of, error_of, texts_of

__all__ = ["Fault", "LLMServer", "Received", "answers_of_file"]

AnswerOf = Callable[[str, str], str]  # system text, user text → answer


class LLMServer:
    """The server, as a context manager; ``received`` and ``most_at_once`` tell what it saw.

    Args:
        answers: an answer for each user text, or a function of system and user text.
        faults: what goes wrong with the first requests, in order of arrival; None is nothing.
        fault_of: what goes wrong with a request, after ``faults`` are used up.
        key: the API key that must come with a request; None asks for none.
        retry_after: the ``Retry-After`` of RATE_LIMITED; for Gemini seconds, which go into its body.
        delay_s: seconds before each answer; ``stall_s`` is for STALLED.
    """

    def __init__(
        self,
        answers: Mapping[str, str] | AnswerOf,
        *,
        faults: Iterable[Fault | None] = (),
        fault_of: Callable[[Received], Fault | None] = lambda _received: None,
        key: str | None = None,
        retry_after: str | None = None,
        delay_s: float = 0.0,
        stall_s: float = 60.0,
        port: int = 0,
    ) -> None:
        self.answer_of: AnswerOf = answers if callable(answers) else lambda _system, user: answers[user]
        self.fault_of, self.key, self.retry_after = fault_of, key, retry_after
        self.delay_s, self.stall_s = delay_s, stall_s
        self.received: list[Received] = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._faults = iter(faults)
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = _HTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"llm": self}))
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()

    def begin(self, received: Received) -> Fault | None:
        """Note a request; returns what is to go wrong with it."""
        with self._lock:
            self.received.append(received)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return next(self._faults, None) or self.fault_of(received)

    def end(self) -> None:
        """Note that a request is about to be answered."""
        with self._lock:
            self._at_once -= 1


class _HTTPServer(ThreadingHTTPServer):
    request_queue_size = 256  # with the default of 5, fifty connections at once are reset
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, as one does that has heard enough to end its run."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    llm: LLMServer
    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body, *texts_of(body))
        fault = self.llm.begin(received)
        self.llm.closing.wait(self.llm.stall_s if fault is Fault.STALLED else self.llm.delay_s)
        self.llm.end()
        if not self._key_is_right(received):
            fault = Fault.KEY_REFUSED
        if fault in (Fault.DROPPED, Fault.STALLED):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault is Fault.NOT_JSON:
            self._send(200, b"<html>Welcome to the hotel's wireless network</html>", {"Content-Type": "text/html"})
        elif fault is Fault.NO_CHOICE:
            self._send(200, b"{}")
        elif fault in ERRORS:
            status, error, error_headers = error_of(received, fault, self.llm.retry_after)
            self._send(status, json.dumps(error).encode(), error_headers)
        else:
            answer = self.llm.answer_of(received.system, received.user)
            self._send(200, json.dumps(answer_of(received, answer, fault)).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tests read ``received``."""

    def _key_is_right(self, received: Received) -> bool:
        headers = received.headers
        given = headers.get("x-goog-api-key") or headers.get("api-key") or headers.get("authorization", "")
        return self.llm.key in (None, given.removeprefix("Bearer "))

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def answers_of_file(path: Path) -> AnswerOf:
    """Answers out of a JSONL file of ``text`` and ``answer``; a part of a text gets the entities that stand in it."""
    known = {record["text"]: record["answer"] for record in map(json.loads, path.open(encoding="utf-8"))}

    def answer_of(_system: str, user: str) -> str:
        if user in known:
            return str(known[user])
        whole = next((answer for text, answer in known.items() if user in text), '{"entities": []}')
        entities = [entity for entity in json.loads(whole)["entities"] if entity["entity_match"] in user]
        return json.dumps({"entities": entities}, ensure_ascii=False)

    return answer_of


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    arguments = parser.parse_args()
    with LLMServer(answers_of_file(arguments.answers), port=arguments.port, delay_s=arguments.delay) as server:
        print(f"llm.base_url={server.url}/v1 for llm=local, llm.base_url={server.url} for llm=gemini", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
