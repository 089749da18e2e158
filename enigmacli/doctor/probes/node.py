"""What the configured node says of itself; nothing it says is proven."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.doctor.facts import Node
from enigmacli.doctor.ports import NodeRpc
from enigmacli.doctor.subject import Subject
from enigmacli.errors import EnigmaError

T = TypeVar("T")

_TIMEOUT_S: Final = 4.0
_NS_PER_US: Final = 1_000


def probe(subject: Subject) -> Node:
    """Ask for its status, its genesis document and its registered nodes."""
    url = subject.config.chain.node
    try:
        with _connected(subject) as rpc:
            began = time.monotonic()
            status = rpc.status()
            latency_s = time.monotonic() - began
            document = _asked(rpc.genesis)
            records = _asked(Queries(rpc).nodes)
    except EnigmaError as error:
        return Node(url, error.message)
    return Node(
        url,
        fault="",
        latency_s=latency_s,
        chain_id=status.network,
        height=status.latest_block_height,
        block_us=max(0, status.latest_block_time_ns // _NS_PER_US),
        catching_up=status.catching_up,
        genesis_sha256=_hash(document) if document else "",
        records=records,
    )


@contextmanager
def _connected(subject: Subject) -> Iterator[NodeRpc]:
    if subject.node is not None:
        yield subject.node()
        return
    chain = subject.config.chain
    with RpcClient(chain.node, min(chain.timeout_s, _TIMEOUT_S)) as rpc:
        yield rpc


def _asked(ask: Callable[[], T]) -> T | None:
    """The answer, or None: a node need not answer everything."""
    try:
        return ask()
    except EnigmaError:
        return None


def _hash(value: Any) -> str:
    """SHA-256 of a genesis document as this program writes it; empty where it is none."""
    try:
        return hashlib.sha256(GenesisDocument.from_value(value).encode()).hexdigest()
    except EnigmaError:
        return ""
