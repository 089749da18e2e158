"""The questions whose answers matter, each proven against a verified header.

What a server cannot prove is said here: that something is absent, and what is only its word
(lists, prices, whether a transaction is in a block). Raw keys: ``docs/state.md``.
"""

from collections.abc import Callable
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.chain.address import decode_address
from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
from enigmacli.chain.light_client import LightClient
from enigmacli.chain.queries import (
    EPOCH_KEY,
    VALIDATOR_PREFIX,
    Account,
    Queries,
    Verified,
    check_seed,
    read_epoch,
    read_power,
)
from enigmacli.chain.records import NodeRecord, node_key
from enigmacli.chain.trust_store import LightBlock
from enigmacli.errors import MalformedError, NotFoundError, UntrustedAnswerError

OLDEST: Final = 2
"""How many headers an answer may lie behind the newest verified one (protocol.md section 9)."""

_EXCHANGE_KEY: Final = b"\x02NodeExchMasterKey"
_IO_KEY: Final = b"\x02IoExchMasterKey"
_KEY_SIZE: Final = 32


class VerifiedQueries:
    """Questions to one node, which cannot answer them wrongly without being found out.

    Args:
        queries: to the node.
        light: verified headers of the chain, from the same node.
    """

    def __init__(self, queries: Queries, light: LightClient) -> None:
        self._queries = queries
        self._light = light
        self._begun = False
        self.verified: Verified | None = None
        """The header that proved the last answer; ``None`` where there was nothing to prove."""

    # --- proven ---------------------------------------------------------------------------

    def account(self, address: str) -> Account:
        """Number and sequence of a bech32 address.

        Raises:
            NotFoundError: there is no such account, as the node says.
            UntrustedAnswerError: the answer is not proven.
        """
        key = b"\x01" + decode_address(address)
        account = _parse("cosmos.auth.v1beta1.BaseAccount", self._proven("accounts", key))
        if account.address != address:
            raise MalformedError("the state holds another account under this address")
        return Account(address, account.account_number, account.sequence)

    def balance(self, address: str, denom: str) -> int:
        """Whole coins of one denomination; none, as the node says, where it holds no entry.

        Raises:
            UntrustedAnswerError: the answer is not proven.
        """
        key = b"\x01" + decode_address(address) + denom.encode()
        try:
            value = self._proven("bank", key)
        except NotFoundError:
            return 0
        if not value.isdigit():
            raise MalformedError("a balance in the state is no number")
        return int(value)

    def node(self, node_id: bytes) -> NodeRecord:
        """The record of a node.

        Raises:
            NotFoundError: the node is not registered, as the node asked says.
            UntrustedAnswerError: the answer is not proven.
        """
        return NodeRecord.parse(node_id, self._proven("register", node_key(node_id)))

    def encrypted_seed(self, node_id: bytes) -> bytes:
        """What the network encrypted to a node: 48 bytes for each epoch.

        Raises:
            NotFoundError: the node is not registered, as the node asked says.
            UntrustedAnswerError: the answer is not proven.
        """
        return check_seed(self.node(node_id).encrypted_seed)

    def current_epoch(self) -> int:
        """Of the network's newest seed."""
        return read_epoch(self._proven("params", EPOCH_KEY))

    def power(self, consensus_pubkey: bytes) -> int:
        """Voting power of a 32-byte validator key.

        Raises:
            NotFoundError: it is no validator, as the node says.
            UntrustedAnswerError: the answer is not proven.
        """
        return read_power(self._proven("validators", VALIDATOR_PREFIX + consensus_pubkey))

    def tx_key(self) -> bytes:
        """The network's io-exchange key, to which clients encrypt: 32 bytes."""
        return self._key(_IO_KEY)

    def registration_key(self) -> bytes:
        """The network's seed-exchange key of the current epoch: 32 bytes."""
        return self._key(_EXCHANGE_KEY)

    exchange_key = registration_key

    # --- sent and waited for --------------------------------------------------------------

    def broadcast(self, raw: bytes, *, check: bool = True) -> BroadcastAnswer:
        """See :meth:`Queries.broadcast`."""
        return self._queries.broadcast(raw, check=check)

    def wait_for_tx(
        self,
        tx_hash: bytes,
        deadline: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> TxAnswer:
        """See :meth:`Queries.wait_for_tx`; that a block holds it is the node's word."""
        return self._queries.wait_for_tx(tx_hash, deadline, clock, sleep)

    # --- proving --------------------------------------------------------------------------

    def _proven(self, store: str, key: bytes) -> bytes:
        self.verified = None
        if not self._begun:
            self._light.newest()
            self._begun = True
        proving: list[LightBlock] = []

        def app_hash_after(height: int) -> bytes:
            proving.append(self._light.wait_for(height + 1))
            return proving[-1].header.app_hash

        not_before = self._light.newest_known - OLDEST
        value = self._queries.proven(store, key, app_hash_after, not_before=not_before)
        if not proving:
            raise UntrustedAnswerError("no header proves the answer")
        self.verified = Verified(proving[-1].height, proving[-1].hash)
        return value

    def _key(self, key: bytes) -> bytes:
        value = self._proven("register", key)
        found = bytes(_parse("secret.registration.v1beta1.MasterKey", value).bytes)
        if len(found) != _KEY_SIZE:
            raise MalformedError(f"a key in the state has {len(found)} bytes, not {_KEY_SIZE}")
        return found


def _parse(name: str, data: bytes) -> Any:
    try:
        return protobuf.parse(name, data)
    except ValueError as error:
        raise MalformedError(f"the state's value is no {name.rpartition('.')[2]}") from error
