"""Random requests against the JSON-RPC server of a real node, over loopback.

Whatever is sent, the node answers the next honest question in time, in well-formed JSON and
never with an internal error; it writes no traceback, lives, and its state stays as it was.
"""

import base64
import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import quote

import httpx

from enigmacli.api.jsonrpc import MAX_BODY_BYTES
from tests.e2e.story_processes import ProgramHome, Running, running
from tests.fuzz.mutation import INTERESTING, Outcome, damage, noise, pick

LONGEST_S: Final = 20.0
"""For one answer; broadcast_tx_commit alone may wait longer, and is given a transaction that
CheckTx refuses at once."""
_SLOW_CLIENTS: Final = 24
_STATUSES: Final = (200, 400, 404, 405, 411, 413, 415, 431, 500, 503)
_METHODS: Final = (
    "health", "status", "net_info", "genesis", "block", "block_by_hash", "blockchain", "header",
    "header_by_hash", "commit", "block_results", "validators", "consensus_params", "tx",
    "tx_search", "block_search", "abci_info", "abci_query", "check_tx", "unconfirmed_txs",
    "num_unconfirmed_txs", "broadcast_tx_async", "broadcast_tx_sync", "broadcast_tx_commit",
    "broadcast_evidence", "subscribe", "dump_consensus_state", "consensus_state", "genesis_chunked",
)  # fmt: skip
_PARAMS: Final = (
    "height", "hash", "tx", "path", "data", "prove", "page", "per_page", "limit", "query",
    "order_by", "minHeight", "maxHeight", "order",
)  # fmt: skip
_TEXTS: Final = (
    "", "1", "-1", "0", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "1" * 5000, "0x", "0x0", "0xzz", "0x" + "ab" * 32, "\ud800", "\x00", "ä", "null", "true",
    "AAAA", "====", "/store/register/key", "/enigma.registration.v1.Query/Nodes",
    "/cosmos.auth.v1beta1.Query/Account", '"', "'1'", "tx.height=1", "1e400", "[]", "{}",
)  # fmt: skip
_BODIES: Final = (
    b"", b"{}", b"[]", b"null", b"NaN", b"1", b'""', b"[" * 100_000, b'{"a":' * 50_000,
    b'{"jsonrpc":"2.0","id":1e999,"method":"health"}', b'{"id":NaN,"method":"status"}',
    b'{"id":1,"method":"\\ud800"}', b'{"id":"\\ud800","method":"health"}',
    b'{"id":' + b"9" * 5000 + b',"method":"health"}', b"\xff\xfe{}", b"\xef\xbb\xbf{}",
    b'{"id":1e308,"method":"health"}', b'{"id":1,"id":2,"method":"health","method":1}',
    b'[{"id":1,"method":"health"},1,null]', b'{"id":true,"method":"health"}',
    b"[" + b",".join([b'{"id":1,"method":"genesis"}'] * 10) + b"]",
    b"[" + b",".join([b'{"id":1,"method":"health"}'] * 11) + b"]",
)  # fmt: skip
_HTTP: Final = (
    b"GET / HTTP/1.1\r\n\r\n", b"GET /health\r\n\r\n", b"GET /health HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: deflate\r\nContent-Length: 2\r\n\r\n\x78\x9c",
    b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(2000)) + b"\r\n",
    b"GET /%ff%00%zz?height=%ff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /block?height=%00&height=1&height=2 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //health/../..//etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /health HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 50,
    b"GET /websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    b"\x81\xaa\x00\x00\x00\x00" + b'{"jsonrpc":"2.0","id":1,"method":"health"}'
    + b"\x81\x82\x00\x00\x00\x00{}\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01" + b"a" * 20,
)  # fmt: skip


@dataclass
class FuzzedServer:
    """A node's address, genuine transactions, and what must not change."""

    node: Running
    url: str
    rng: Random
    outcome: Outcome
    txs: list[bytes]
    slow: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(timeout=LONGEST_S, trust_env=False)
        host, _, port = self.url.removeprefix("http://").partition(":")
        self.address = (host, int(port))
        self._state = self._app_hash()

    def close(self) -> None:
        """A last look at the node."""
        for client in self.slow:
            client.close()
        self._ask_honestly()
        if self._app_hash() != self._state:
            self.outcome.fail("the application's state changed")
        errors = self.node.log.with_suffix(".err").read_text(errors="replace")
        for word in ("Traceback", "Error", "exception"):
            if word in errors:
                self.outcome.fail(f"the node's standard error: {errors[-1500:]}")
        bugs = [one for one in self.node.events() if "bug" in str(one).lower()]
        if bugs:
            self.outcome.fail(f"the node reported {bugs[:3]}")
        self.http.close()

    def step(self) -> None:
        """One input."""
        kind = self.rng.random()
        if kind < 0.45:
            self._post(json.dumps(self._request()).encode())
        elif kind < 0.6:
            self._post(self._body())
        elif kind < 0.85:
            self._get()
        elif kind < 0.98:
            self._raw()
        else:
            self._slow()
        if self.rng.random() < 0.05:
            self._ask_honestly()

    # --- what is sent ---------------------------------------------------------------------------

    def _request(self) -> Any:
        if self.rng.random() < 0.05:
            return [self._request() for _ in range(self.rng.randint(0, 11))]
        params: Any = {name: self._value() for name in self.rng.sample(_PARAMS, 3)}
        if self.rng.random() < 0.2:
            params = [self._value() for _ in range(self.rng.randint(0, 5))]
        if self.rng.random() < 0.05:
            params = self._value()
        request = {"jsonrpc": "2.0", "id": 1, "method": self._method(), "params": params}
        if self.rng.random() < 0.1:
            request[self.rng.choice(list(request))] = self._value()
        return request

    def _method(self) -> str:
        return self.rng.choice(_METHODS) if self.rng.random() < 0.97 else self.rng.choice(_TEXTS)

    def _value(self) -> Any:
        kind = self.rng.random()
        if kind < 0.5:
            return self.rng.choice(_TEXTS)
        if kind < 0.7:
            raw = pick(self.rng, self.txs)
            return base64.b64encode(raw).decode()
        others: tuple[Any, ...] = (
            None,
            True,
            1,
            -1,
            2**63,
            1.5,
            float("inf"),
            [],
            {},
            [[]],
            {"a": 1},
            "0x00",
        )
        return self.rng.choice(others)

    def _body(self) -> bytes:
        if self.rng.random() < 0.6:
            return self.rng.choice(_BODIES)
        if self.rng.random() < 0.05:
            return b'{"id":1,"method":"' + b"a" * MAX_BODY_BYTES + b'"}'
        return damage(self.rng, json.dumps(self._request()).encode())

    # --- how it is sent, and what comes back ----------------------------------------------------

    def _post(self, body: bytes) -> None:
        with self._in_time("post", body):
            answer = self.http.post(self.url, content=body)
            self._check(answer, body)

    def _get(self) -> None:
        query = "&".join(
            f"{name}={self._quoted()}" for name in self.rng.sample(_PARAMS, self.rng.randint(0, 3))
        )
        path = f"/{quote(self._method().encode('utf-8', 'surrogatepass'))}?{query}"
        with self._in_time("get", path.encode()):
            answer = self.http.get(self.url + path)
            self._check(answer, path.encode())

    def _quoted(self) -> str:
        text = str(self._value())
        text = self.rng.choice(
            (text, f'"{text}"', '"\\ud800"', f"0x{text.encode('utf-8', 'replace').hex()}")
        )
        return quote(text[:3000].encode("utf-8", "surrogatepass"))

    def _check(self, answer: httpx.Response, sent: bytes) -> None:
        self.outcome.count(f"{answer.request.method} {answer.status_code}")
        if answer.status_code not in _STATUSES:
            self.outcome.fail(f"HTTP status {answer.status_code}", sent)
        if b"see the node's log" in answer.content or b"Traceback" in answer.content:
            self.outcome.fail(f"an internal error: {answer.text[:500]}", sent)
        if answer.headers.get("content-type", "").startswith("application/json") and answer.content:
            json.loads(answer.content)

    def _raw(self) -> None:
        kind = self.rng.random()
        data = self.rng.choice(_HTTP)
        if kind < 0.5:
            data = damage(self.rng, data)
        elif kind < 0.6:
            data = noise(self.rng)
        with self._in_time("raw", data), socket.create_connection(self.address, LONGEST_S) as open_:
            open_.settimeout(0.2)
            with contextlib.suppress(OSError):
                open_.sendall(data)
                open_.shutdown(socket.SHUT_WR)
                while open_.recv(65536):
                    pass
        self.outcome.count("raw HTTP")

    def _slow(self) -> None:
        """A client that sends one byte of a request now, and never the rest."""
        client = socket.create_connection(self.address, LONGEST_S)
        with contextlib.suppress(OSError):
            start = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
            client.sendall(start[: self.rng.choice((1, 10, len(start)))])
        self.slow.append(client)
        if len(self.slow) > _SLOW_CLIENTS:
            self.slow.pop(0).close()
        self.outcome.count("slow client")

    @contextlib.contextmanager
    def _in_time(self, kind: str, sent: bytes) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except (httpx.HTTPError, OSError, ValueError) as error:
            self.outcome.fail(f"{kind}: {type(error).__name__} {error}", sent)
        if time.monotonic() - started > LONGEST_S:
            self.outcome.fail(f"{kind}: no answer in {LONGEST_S} s", sent)

    # --- what must still be true ----------------------------------------------------------------

    def _ask_honestly(self) -> None:
        body = {"jsonrpc": "2.0", "id": 7, "method": "health"}
        with self._in_time("honest", b"health"):
            answer = self.http.post(self.url, json=body).json()
            if answer != {"jsonrpc": "2.0", "id": 7, "result": {}}:
                self.outcome.fail(f"an honest question got {answer}")
        if self.node.process.poll() is not None:
            self.outcome.fail("the node ended")
            raise AssertionError("the node ended")

    def _app_hash(self) -> str:
        answer = self.http.get(f"{self.url}/abci_info").json()
        return str(answer["result"]["response"]["last_block_app_hash"])


@contextlib.contextmanager
def fuzzed(folder: Path, rng: Random) -> Iterator[tuple[Outcome, Callable[[], None]]]:
    """A live node of its own network; the second value sends it one request."""
    outcome = Outcome("JSON-RPC")
    any_port = "127.0.0.1:0"
    with ExitStack() as processes:
        intel = processes.enter_context(
            running(ProgramHome(folder / "intel"), "ias", "serve", "--listen", any_port)
        ).wait_for("listening")["url"]
        home = ProgramHome(folder / "first")
        home.ok("init", "first", "--simulated", "--chain-id", "fuzz-1", "--ias-root", intel)
        home.ok("genesis", "add-account", home.account("alice"), "1000000000uscrt")
        start = ("start", "--bootstrap", "--url", intel, "--rpc-listen", any_port)
        node = processes.enter_context(running(home, *start, "--block-interval", "0.1"))
        url = str(node.wait_for("listening")["rpc"])
        sent = home.ok("tx", "bank", "send", "alice", "alice", "1uscrt", "-y", "--node", url)
        node.wait_for("block", height=int(sent["height"]) + 1)
        txs = [bytes([*INTERESTING]), _transaction(url, int(sent["height"]))]
        server = FuzzedServer(node, url, rng, outcome, txs)
        yield outcome, server.step
        server.close()


def _transaction(url: str, height: int) -> bytes:
    """The first transaction of a block: genuine, and refused when it comes again."""
    block = httpx.get(f"{url}/block?height={height}", trust_env=False).json()
    return base64.b64decode(block["result"]["block"]["data"]["txs"][0])
