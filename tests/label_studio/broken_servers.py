"""Local servers with what goes wrong in life: one that never answers, one that gives fixed answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

VERSION = json.dumps({"release": "1.23.2", "label-studio-os-package": {}})


@dataclass(frozen=True, slots=True)
class Mute:
    """A server that accepts connections, reads requests, and never answers."""

    url: str
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    """Set when a client hung up."""


@contextmanager
def mute_server() -> Iterator[Mute]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        mute = Mute(f"http://127.0.0.1:{listening.getsockname()[1]}")

        def hold(connection: socket.socket) -> None:
            with connection:
                while connection.recv(65536):
                    mute.asked.set()
            mute.let_go.set()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # closed: the test is over
                    return
                Thread(target=hold, args=(connection,), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield mute
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(
    answers: dict[str, tuple[int, str]], *, otherwise: tuple[int, str], location: str = "/"
) -> Iterator[tuple[str, list[str]]]:
    """A local server with a fixed answer for each path; yields its address and the requests it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0].rstrip("/")
            asked.append(f"{self.command} {path}")
            # As Label Studio does; the SDK asks for pages until there is none.
            status, body = (404, "{}") if "page=2" in self.path else answers.get(path, otherwise)
            self.send_response(status)
            self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def refusing_server(status: int, body: str = "{}") -> Iterator[tuple[str, list[str]]]:
    """A server that says it is a Label Studio and answers everything else with one status; and what it was asked."""
    with answering({"/api/version": (200, VERSION)}, otherwise=(status, body)) as served:
        yield served
