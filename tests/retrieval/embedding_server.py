"""A server on this machine that speaks OpenAI's ``/embeddings``, with the faults of real life."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.retrieval.pools import WordEncoder

Fault = tuple[int, dict[str, Any] | str]
"""A status and what is said with it."""


class EmbeddingServer:
    """The server, as a context manager; ``received`` has the requests.

    Args:
        faults: what is answered to the first requests.
        key: that must come with a request.
    """

    def __init__(self, *, faults: Iterable[Fault] = (), key: str = "") -> None:
        self.received: list[dict[str, Any]] = []
        self._faults = iter(faults)
        self._key = key
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = server._answer(self.path, self.headers.get("Authorization", ""), body)
                content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if status == 429:
                    self.send_header("Retry-After", "0.01")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def texts(self) -> list[str]:
        """What vectors were asked of, in order."""
        return [text for body in self.received for text in body["input"]]

    def _answer(self, path: str, key: str, body: dict[str, Any]) -> Fault:
        fault = next(self._faults, None)
        if fault is not None:
            return fault
        if path != "/v1/embeddings":
            return 404, {"error": {"message": f"no {path}"}}
        if key.removeprefix("Bearer ") != self._key and self._key:
            return 401, {"error": {"message": f"the key {key} is wrong"}}
        self.received.append(body)
        vectors = WordEncoder(dimensions=body.get("dimensions", 64)).encode(body["input"])
        data = [{"index": number, "embedding": vector.tolist()} for number, vector in enumerate(vectors)]
        return 200, {"object": "list", "data": data[::-1], "model": body["model"]}  # servers need not keep the order
