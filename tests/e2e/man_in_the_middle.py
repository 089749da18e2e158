"""A server in front of a node's RPC that changes, delays, repeats or mixes its answers."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Forward = Callable[[dict[str, Any]], dict[str, Any]]
"""Asks the real node: a JSON-RPC call to its answer."""

Lie = Callable[[dict[str, Any], Forward], dict[str, Any]]
"""What is answered to a call."""


class ManInTheMiddle:
    """Answers by ``lie``; honest until told otherwise."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.lie: Lie = honest
        self.url = ""

    def forward(self, call: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 -- a node of this test
            self.upstream, json.dumps(call).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 -- as above
            answer: dict[str, Any] = json.load(response)
        return answer

    @contextmanager
    def lying(self, lie: Lie) -> Iterator[None]:
        """Lie until the block is left."""
        self.lie = lie
        try:
            yield
        finally:
            self.lie = honest


def honest(call: dict[str, Any], forward: Forward) -> dict[str, Any]:
    return forward(call)


@contextmanager
def man_in_the_middle(upstream: str) -> Iterator[ManInTheMiddle]:
    """Stand in front of ``upstream`` until the block is left."""
    man = ManInTheMiddle(upstream)

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(man.lie(call, man.forward)).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                return  # the client gave up

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    man.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield man
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
