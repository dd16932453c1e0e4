"""A proxy before a real server: it counts requests, drops answers, lives below a path, speaks TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx


@dataclass
class Proxy:
    """Where it listens, and what went through it."""

    url: str
    asked: list[str] = field(default_factory=list)
    swallow: Callable[[str], bool] = lambda _: False
    """Whether the answer to a request (``POST /api/…``) is dropped; the server has carried it out by then."""
    drop: Callable[[str], bool] = lambda _: False
    """Whether a request is not passed on at all, and nothing is answered."""

    def writes(self) -> list[str]:
        """The requests that change something."""
        return [each for each in self.asked if not each.startswith("GET ")]


@contextmanager
def proxied(
    target: str, *, path: str = "", certificate: Path | None = None, key: Path | None = None
) -> Iterator[Proxy]:
    """Pass requests below ``path`` on to ``target``, with TLS where there is a certificate."""
    over = Event()
    upstream = httpx.Client(base_url=target, timeout=60, follow_redirects=False)

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(path):
                self.send_error(404)
                return
            own = self.path[len(path) :]
            request = f"{self.command} {own.partition('?')[0]}"
            proxy.asked.append(request)
            if proxy.drop(request):
                over.wait(30)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            answer = upstream.request(self.command, own, headers=headers, content=body)
            if proxy.swallow(request):
                over.wait(30)
                return
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Location"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_DELETE = do_PATCH = forward

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    proxy = Proxy(f"{scheme}://127.0.0.1:{server.server_port}{path}")
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield proxy
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        upstream.close()


def once(wanted: str) -> Callable[[str], bool]:
    """True for the first request that ends so."""
    left = [wanted]

    def matches(request: str) -> bool:
        if left and request.endswith(left[0]):
            left.clear()
            return True
        return False

    return matches
