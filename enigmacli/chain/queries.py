"""Typed questions to the application, and waiting for transactions, on top of the RPC.

Answers are a server's word. What must be certain is asked with :meth:`Queries.proven`, against
an app hash from a header whose commit was verified; :mod:`~enigmacli.chain.light_queries` does
so for every question whose answer matters.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from enclave.errors import BY_CODE
from enigmacli import protobuf
from enigmacli.chain.answers import BroadcastAnswer, QueryAnswer, TxAnswer
from enigmacli.chain.merkle import verify_store_proof
from enigmacli.chain.messages import Coin
from enigmacli.chain.records import NodeRecord, node_key
from enigmacli.chain.sdk_codes import CODESPACE, SdkCode
from enigmacli.errors import (
    EnigmaError,
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    UntrustedAnswerError,
    WaitTimeoutError,
)

POLL_INTERVAL_S: Final = 0.2
"""Between two questions whether a block holds the transaction."""

_COMPARED: Final = re.compile(r", expected (?P<expected>.+), seen (?P<seen>.+)$")
_REGISTRATION: Final = "secret.registration.v1beta1"
_OURS: Final = "enigma.registration.v1"
_ACCOUNT: Final = "cosmos.auth.v1beta1"
_BANK: Final = "cosmos.bank.v1beta1"
_TX: Final = "cosmos.tx.v1beta1"
_BASE_ACCOUNT: Final = "/cosmos.auth.v1beta1.BaseAccount"
EPOCH_KEY: Final = b"\x01Epoch"
VALIDATOR_PREFIX: Final = b"\x01"
"""Raw key of a record in store ``validators``: this, then the 32-byte key."""
"""Raw key in store ``params``: u32be."""

_KEY_SIZE: Final = 32
_WRAP_SIZE: Final = 48
_PAGE_SIZE: Final = 200
_NOT_FOUND: Final = frozenset(
    {
        ("register", 8),
        (CODESPACE, int(SdkCode.KEY_NOT_FOUND)),
        (CODESPACE, int(SdkCode.NOT_FOUND)),
        (CODESPACE, int(SdkCode.UNKNOWN_ADDRESS)),
    }
)


class Rpc(Protocol):
    """What is asked of a node; :class:`~enigmacli.chain.rpc.RpcClient` can do it."""

    def abci_query(
        self, path: str, data: bytes = b"", height: int = 0, *, prove: bool = False
    ) -> QueryAnswer:
        """Ask the application."""
        ...

    def tx(self, tx_hash: bytes) -> TxAnswer:
        """A transaction in its block."""
        ...

    def broadcast_tx_sync(self, tx: bytes) -> BroadcastAnswer:
        """Send, and wait for CheckTx."""
        ...

    def broadcast_tx_async(self, tx: bytes) -> BroadcastAnswer:
        """Send, and wait for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the state has it."""

    address: str
    number: int
    sequence: int
    """Of its next transaction."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The header that proved an answer."""

    height: int
    header_hash: bytes
    """32 bytes."""


class Queries:
    """Questions to one node."""

    verified: Verified | None = None
    """What proved the last answer: nothing, since all are the node's word."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    # --- accounts -------------------------------------------------------------------------

    def account(self, address: str) -> Account:
        """Number and sequence of a bech32 address.

        Raises:
            NotFoundError: there is no such account.
        """
        answer = self._ask(_ACCOUNT, "Account", address=address)
        if answer.account.type_url != _BASE_ACCOUNT:
            raise MalformedError(f"account {address} is of a kind not known here")
        account = _parse(_BASE_ACCOUNT[1:], answer.account.value)
        if account.address != address:
            raise MalformedError("the node answered with another account")
        return Account(address, account.account_number, account.sequence)

    def balance(self, address: str, denom: str) -> int:
        """Whole coins of one denomination."""
        balance = self._ask(_BANK, "Balance", address=address, denom=denom).balance
        if balance.denom != denom:
            raise MalformedError("the node answered with another denomination")
        return Coin.of(balance).amount

    def balances(self, address: str) -> tuple[Coin, ...]:
        """All coins of an address, by denomination."""
        found = self._ask(_BANK, "AllBalances", address=address).balances
        return tuple(Coin.of(coin) for coin in found)

    def simulate(self, raw: bytes) -> int:
        """Gas that a transaction would use; its signature may be empty."""
        answer = self._query(
            f"/{_TX}.Service/Simulate",
            protobuf.new(f"{_TX}.SimulateRequest", tx_bytes=raw).SerializeToString(),
        )
        return int(_parse(f"{_TX}.SimulateResponse", answer.value).gas_info.gas_used)

    # --- registration ---------------------------------------------------------------------

    def encrypted_seed(self, node_id: bytes) -> bytes:
        """What the network encrypted to a node: 48 bytes for each epoch.

        Raises:
            NotFoundError: the node is not registered.
        """
        answer = self._ask(_REGISTRATION, "EncryptedSeed", pub_key=node_id)
        return check_seed(bytes(answer.encrypted_seed))

    def tx_key(self) -> bytes:
        """The network's io-exchange key, to which clients encrypt: 32 bytes."""
        return self._key("TxKey")

    def registration_key(self) -> bytes:
        """The network's seed-exchange key of the current epoch: 32 bytes."""
        return self._key("RegistrationKey")

    exchange_key = registration_key

    def current_epoch(self) -> int:
        """Of the network's newest seed."""
        return read_epoch(self.stored("params", EPOCH_KEY))

    def node(self, node_id: bytes) -> NodeRecord:
        """The record of a node.

        Raises:
            NotFoundError: the node is not registered.
        """
        return NodeRecord.parse(node_id, self.stored("register", node_key(node_id)))

    def nodes(self) -> tuple[NodeRecord, ...]:
        """All registered nodes, in the order of their node_id."""
        found: list[NodeRecord] = []
        key = b""
        while True:
            page = self._ask(_OURS, "Nodes", pagination={"key": key, "limit": _PAGE_SIZE})
            found += (NodeRecord.of(node.node_id, node.record) for node in page.nodes)
            following = page.pagination.next_key
            if not following:
                return tuple(found)
            if following <= key:
                raise MalformedError("the node lists its nodes in circles")
            key = following

    def power(self, consensus_pubkey: bytes) -> int:
        """Voting power of a 32-byte validator key.

        Raises:
            NotFoundError: it is no validator.
        """
        return read_power(self.stored("validators", VALIDATOR_PREFIX + consensus_pubkey))

    def serving(self, consensus_pubkey: bytes) -> bytes:
        """The node_id that serves a 32-byte validator key.

        Raises:
            NotFoundError: it is no validator.
        """
        record = self.stored("validators", VALIDATOR_PREFIX + consensus_pubkey)
        return bytes(_parse("enigma.validator.v1.ValidatorRecord", record).node_id)

    # --- state ----------------------------------------------------------------------------

    def stored(self, store: str, key: bytes) -> bytes:
        """The value under a raw key, as the node says.

        Raises:
            NotFoundError: there is none.
        """
        answer = self._query(f"/store/{store}/key", key)
        if answer.key != key:
            raise MalformedError("the node answered for another key")
        if not answer.value:
            raise NotFoundError(f"store {store} has nothing under {key.hex()}")
        return answer.value

    def proven(
        self,
        store: str,
        key: bytes,
        app_hash_after: Callable[[int], bytes],
        *,
        not_before: int = 0,
    ) -> bytes:
        """The value under a raw key, proven.

        Args:
            store: its name.
            key: raw key.
            app_hash_after: given a height H, the app hash of the verified header H + 1; it
                waits for that header with a deadline of its own.
            not_before: the oldest height that is acceptable: newest verified header - 2.

        Raises:
            NotFoundError: there is none, as the node says; absence is never proven.
            UntrustedAnswerError: the proof does not hold, or the answer is too old.
        """
        answer = self._query(f"/store/{store}/key", key, prove=True)
        if answer.key != key:
            raise UntrustedAnswerError("the node answered for another key")
        if not answer.value:
            raise NotFoundError(f"store {store} has nothing under {key.hex()}")
        if answer.height < max(not_before, 1):
            raise UntrustedAnswerError(
                f"the node answered for height {answer.height}, which is too old"
            )
        app_hash = app_hash_after(answer.height)
        verify_store_proof(app_hash, store, key, answer.value, answer.proof)
        return answer.value

    # --- transactions ---------------------------------------------------------------------

    def broadcast(self, raw: bytes, *, check: bool = True) -> BroadcastAnswer:
        """Send a transaction; with ``check``, wait for the node's CheckTx.

        Raises:
            TxRejectedError: CheckTx refused it.
        """
        send = self._rpc.broadcast_tx_sync if check else self._rpc.broadcast_tx_async
        answer = send(raw)
        check_code(answer.code, answer.codespace, answer.log, answer.hash)
        return answer

    def wait_for_tx(
        self,
        tx_hash: bytes,
        deadline: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> TxAnswer:
        """Poll until a block holds the transaction; a node that is away is asked again.

        Args:
            tx_hash: SHA-256 of the raw transaction.
            deadline: in the seconds of ``clock``.
            clock: the time, such as ``time.monotonic``.
            sleep: passes the time, such as ``time.sleep``.

        Raises:
            TxRejectedError: its execution failed.
            WaitTimeoutError: no block held it before the deadline.
        """
        while True:
            last: EnigmaError
            try:
                answer = self._rpc.tx(tx_hash)
            except (NotFoundError, ServiceUnavailableError) as error:
                last = error
            else:
                result = answer.result
                check_code(result.code, result.codespace, result.log, tx_hash)
                return answer
            if clock() >= deadline:
                raise WaitTimeoutError(
                    f"transaction {tx_hash.hex().upper()} is in no block yet",
                    hint=f"it may still come: enigmacli query tx {tx_hash.hex().upper()}",
                    details={"tx_hash": tx_hash.hex().upper(), "last": last.message},
                )
            sleep(POLL_INTERVAL_S)

    # --- asking ---------------------------------------------------------------------------

    def _key(self, method: str) -> bytes:
        answer = self._query(f"/{_REGISTRATION}.Query/{method}", b"")
        key = bytes(_parse(f"{_REGISTRATION}.Key", answer.value).key)
        if len(key) != _KEY_SIZE:
            raise MalformedError(f"{method} answered with {len(key)} bytes, not {_KEY_SIZE}")
        return key

    def _ask(self, package: str, method: str, **request: Any) -> Any:
        message = protobuf.new(f"{package}.Query{method}Request", **request)
        answer = self._query(f"/{package}.Query/{method}", message.SerializeToString())
        return _parse(f"{package}.Query{method}Response", answer.value)

    def _query(self, path: str, data: bytes, *, prove: bool = False) -> QueryAnswer:
        answer = self._rpc.abci_query(path, data, prove=prove)
        if answer.code == 0:
            return answer
        details = {"codespace": answer.codespace, "code": answer.code}
        text = answer.log or f"query {path} failed with {answer.codespace} {answer.code}"
        if (answer.codespace, answer.code) in _NOT_FOUND:
            raise NotFoundError(text, details=details)
        raise ServiceRefusedError(text, details=details)


def check_seed(seed: bytes) -> bytes:
    """An encrypted seed, if it can be one: 48 bytes for each epoch.

    Raises:
        MalformedError: it has another length.
    """
    if not seed or len(seed) % _WRAP_SIZE:
        raise MalformedError(f"encrypted seed of {len(seed)} bytes is none")
    return seed


def read_epoch(value: bytes) -> int:
    """The epoch as the state holds it.

    Raises:
        MalformedError: it is not 4 bytes.
    """
    if len(value) != 4:  # noqa: PLR2004 -- u32be
        raise MalformedError("the epoch is not 4 bytes")
    return int.from_bytes(value)


def read_power(value: bytes) -> int:
    """Voting power as the state holds it.

    Raises:
        MalformedError: it is no record of a validator.
    """
    return int(_parse("enigma.validator.v1.ValidatorRecord", value).power)


def check_code(code: int, codespace: str, log: str, tx_hash: bytes) -> None:
    """Refuse any result but success.

    Raises:
        TxRejectedError: ``code`` is not 0; ``details`` say codespace, code and hash, and
            what was expected and seen where the log line names it.
    """
    if not code:
        return
    rule, _, _ = log.partition(":")
    compared = _COMPARED.search(log)
    raise TxRejectedError(
        log or f"the chain refused the transaction with {codespace} {code}",
        rule=rule if rule in BY_CODE else "",
        details={"codespace": codespace, "code": code, "tx_hash": tx_hash.hex().upper()}
        | (compared.groupdict() if compared else {}),
    )


def _parse(name: str, data: bytes) -> Any:
    try:
        return protobuf.parse(name, data)
    except ValueError as error:
        raise MalformedError(f"the node's answer is no {name.rpartition('.')[2]}") from error
