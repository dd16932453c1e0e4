"""Local servers with what goes wrong in life: one that never answers, one that refuses everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


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
def refusing_server(status: int, body: str = "{}") -> Iterator[tuple[str, list[str]]]:
    """A server that says it is a Label Studio and answers everything else with one status; and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path.partition("?")[0].rstrip("/"))
            is_version = asked[-1] == "/api/version"
            self.send_response(200 if is_version else status)
            self.end_headers()
            self.wfile.write(b'{"label-studio-os-package": {}}' if is_version else body.encode())

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
