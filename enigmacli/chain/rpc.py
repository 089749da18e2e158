"""A client of a node's JSON-RPC, as CometBFT 0.38 speaks it.

What comes back has the right form and nothing more: the node may lie. Transport errors are
:class:`ServiceUnavailableError`, nonsense is :class:`MalformedError`, refusals are sorted by
:mod:`~enigmacli.chain.rpc_failures`.
"""

import base64
import itertools
import json
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from enigmacli.chain.answers import (
    AbciInfo,
    BlockAnswer,
    BlockResults,
    BroadcastAnswer,
    BroadcastCommitAnswer,
    NodeStatus,
    QueryAnswer,
    SignedHeader,
    TxAnswer,
    ValidatorsAnswer,
)
from enigmacli.chain.blocks import Header
from enigmacli.chain.rpc_failures import read_failure
from enigmacli.chain.rpc_json import from_json
from enigmacli.chain.validators import MAX_VALIDATORS, Validator, ValidatorSet
from enigmacli.errors import ConfigError, MalformedError, ServiceUnavailableError

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
"""The longest answer that is read."""

PAGE_SIZE: Final = 100
"""Validators in one answer; CometBFT's most."""

_COMMIT_WAIT_S: Final = 10.0  # CometBFT's timeout_broadcast_tx_commit
_HINT: Final = "check --node, or start the node there"
_BUSY: Final = range(500, 600)
_SCHEMES: Final = {"tcp": "http", "http": "http", "https": "https"}

T = TypeVar("T")


class RpcClient:
    """Calls one node.

    Args:
        url: ``http://``, ``https://`` or ``tcp://`` with host and port.
        timeout_s: the longest wait for an answer as a whole.
        transport: what carries requests; tests put a function in its place.

    Raises:
        ConfigError: ``url`` is no such address.
    """

    def __init__(
        self, url: str, timeout_s: float = 10.0, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = _to_http(url)
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        # a proxy set for the web must not catch calls to a node on this machine
        self._http = httpx.Client(
            transport=transport, trust_env=not _is_loopback(self.url), follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    # --- the chain ------------------------------------------------------------------------

    def health(self) -> None:
        """Return if the node answers at all."""
        self.call("health")

    def status(self) -> NodeStatus:
        """Who the node is and how far it came."""
        return self._read(NodeStatus, "status")

    def genesis(self) -> dict[str, Any]:
        """The genesis document."""
        result = self.call("genesis")
        document = result.get("genesis") if isinstance(result, dict) else None
        if not isinstance(document, dict):
            raise MalformedError(f"{self.url} answered genesis with no document")
        return document

    def block(self, height: int | None = None) -> BlockAnswer:
        """A block, by default the newest."""
        answer = self._read(BlockAnswer, "block", **_at(height))
        self._check_height(height, answer.block.header.height)
        return answer

    def block_results(self, height: int | None = None) -> BlockResults:
        """What executing a block gave."""
        answer = self._read(BlockResults, "block_results", **_at(height))
        self._check_height(height, answer.height)
        return answer

    def commit(self, height: int | None = None) -> SignedHeader:
        """A header and the commit that decided it."""
        answer = self._read(SignedHeader, "commit", **_at(height))
        self._check_height(height, answer.header.height)
        return answer

    def header(self, height: int | None = None) -> Header:
        """A header with no commit."""
        result = self.call("header", **_at(height))
        header = from_json(Header, result.get("header") if isinstance(result, dict) else None)
        self._check_height(height, header.height)
        return header

    def validators(self, height: int | None = None) -> ValidatorSet:
        """The validators of a height, all pages of them."""
        found: list[Validator] = []
        for page in itertools.count(1):
            answer = self._read(
                ValidatorsAnswer,
                "validators",
                **_at(height),
                page=str(page),
                per_page=str(PAGE_SIZE),
            )
            self._check_height(height, answer.height)
            height = answer.height
            found += answer.validators
            if len(found) >= answer.total or not answer.validators or len(found) > MAX_VALIDATORS:
                break
        if len(found) != answer.total:
            raise MalformedError(f"{self.url} gave {len(found)} of {answer.total} validators")
        return ValidatorSet.of(found)

    def tx(self, tx_hash: bytes) -> TxAnswer:
        """A transaction in its block; :class:`NotFoundError` while no block holds it."""
        answer = self._read(TxAnswer, "tx", hash=_base64(tx_hash), prove=False)
        if answer.hash != tx_hash:
            raise MalformedError(f"{self.url} answered with another transaction")
        return answer

    # --- the application ------------------------------------------------------------------

    def abci_info(self) -> AbciInfo:
        """What the application says about itself."""
        return self._read(AbciInfo, "abci_info")

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        """Ask the application; ``height`` 0 is its newest state."""
        return self._read(
            QueryAnswer, "abci_query", path=path, data=data.hex(), height=str(height), prove=prove
        )

    # --- transactions ---------------------------------------------------------------------

    def broadcast_tx_sync(self, tx: bytes) -> BroadcastAnswer:
        """Send, and wait for CheckTx."""
        return self._read(BroadcastAnswer, "broadcast_tx_sync", tx=_base64(tx))

    def broadcast_tx_async(self, tx: bytes) -> BroadcastAnswer:
        """Send, and wait for nothing."""
        return self._read(BroadcastAnswer, "broadcast_tx_async", tx=_base64(tx))

    def broadcast_tx_commit(self, tx: bytes) -> BroadcastCommitAnswer:
        """Send, and wait for the block; :class:`WaitTimeoutError` after the node's limit."""
        result = self._call(
            "broadcast_tx_commit", {"tx": _base64(tx)}, self._timeout_s + _COMMIT_WAIT_S
        )
        return from_json(BroadcastCommitAnswer, result)

    # --- calls ----------------------------------------------------------------------------

    def call(self, method: str, **params: Any) -> Any:
        """The ``result`` member of the answer to any method.

        Raises:
            ServiceUnavailableError: the node did not answer in time, or not at all.
            MalformedError: what it answered is no JSON-RPC.
            EnigmaError: the node refused; see :func:`~enigmacli.chain.rpc_failures.read_failure`.
        """
        return self._call(method, params, self._timeout_s)

    def _read(self, cls: type[T], method: str, **params: Any) -> T:
        return from_json(cls, self.call(method, **params))

    def _call(self, method: str, params: Mapping[str, Any], timeout_s: float) -> Any:
        number = next(self._ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)}
        status, body = self._post(request, timeout_s)
        document = self._parse(status, body)
        if document.get("error") is not None:
            raise read_failure(document["error"])
        if document.get("id") != number or "result" not in document:
            raise MalformedError(f"{self.url} gave no answer to {method}")
        return document["result"]

    def _post(self, request: Mapping[str, Any], timeout_s: float) -> tuple[int, bytes]:
        deadline = time.monotonic() + timeout_s
        try:
            with self._http.stream("POST", self.url, json=request, timeout=timeout_s) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MAX_ANSWER_BYTES:
                        raise MalformedError(f"{self.url} answered with too much")
                    if time.monotonic() > deadline:
                        self._fail("is too slow")
                return response.status_code, bytes(body)
        except httpx.TimeoutException:
            self._fail(f"did not answer within {timeout_s:g} s")
        except httpx.TransportError as error:
            self._fail(f"did not answer: {str(error) or type(error).__name__}")
        except httpx.RequestError as error:
            raise MalformedError(f"{self.url} answered with no valid HTTP: {error}") from error

    def _parse(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            document = json.loads(body.decode(), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
        if status in _BUSY or status == httpx.codes.TOO_MANY_REQUESTS:
            self._fail(f"answered with HTTP status {status}")
        raise MalformedError(
            f"{self.url} does not answer in JSON-RPC (HTTP status {status})", hint=_HINT
        )

    def _check_height(self, wanted: int | None, got: int) -> None:
        if wanted is not None and wanted != got:
            raise MalformedError(f"{self.url} answered for height {got}, not {wanted}")

    def _fail(self, what: str) -> NoReturn:
        raise ServiceUnavailableError(f"{self.url} {what}", hint=_HINT)


def _to_http(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if "@" in parts.netloc:
        raise ConfigError(
            "the address of a node holds a user name or password",
            hint="use a proxy on this machine that adds them",
        )
    if parts.scheme not in _SCHEMES or not parts.hostname or port == 0:
        raise ConfigError(
            f"{url[:100]!r} is no address of a node",
            hint="use --node http://HOST:PORT (tcp:// and https:// are understood)",
        )
    return parts._replace(scheme=_SCHEMES[parts.scheme]).geturl()


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _at(height: int | None) -> dict[str, str]:
    return {} if height is None else {"height": str(height)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
