"""A chain of one in memory: accounts, balances, register with its confirm, transfers.

It stands behind the ports of the flows. It decodes and verifies real transactions, because
that is what a flow must get right; blocks and consensus are not its business.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
from enigmacli.chain.messages import MsgSend, RaAuthenticate
from enigmacli.chain.results import TxResult
from enigmacli.chain.signing import verify_signature
from enigmacli.chain.tx import Tx, decode_tx
from enigmacli.errors import (
    NotFoundError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)

EXCHANGE_PK = bytes(range(32))


@dataclass(frozen=True)
class SimulatedAccount:
    number: int
    sequence: int


@dataclass(frozen=True)
class SimulatedRecord:
    owner: bytes
    epoch: int
    height: int
    encrypted_seed: bytes


@dataclass
class SimulatedChain:
    chain_id: str = "enigma-test"
    prefix: str = "enigma"
    accounts: dict[str, SimulatedAccount] = field(default_factory=dict)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    records: dict[bytes, SimulatedRecord] = field(default_factory=dict)
    node_ids: dict[bytes, bytes] = field(default_factory=dict)
    """The key that each known certificate binds."""
    check_refusal: TxRejectedError | None = None
    """What CheckTx says in place of taking the transaction."""
    delay: int = 0
    """Seconds that pass before a block is made."""
    down_for: int = 0
    """How many questions fail because the node does not answer."""
    sent: list[Tx] = field(default_factory=list)
    _pending: dict[bytes, Tx] = field(default_factory=dict)
    _outcomes: dict[bytes, TxAnswer] = field(default_factory=dict)

    def fund(self, address: str, amount: int, denom: str = "uscrt") -> None:
        self.accounts.setdefault(address, SimulatedAccount(len(self.accounts), 0))
        self.balances[address, denom] = amount

    # --- the ports --------------------------------------------------------------------------

    def account(self, address: str) -> SimulatedAccount:
        self._answer()
        if address not in self.accounts:
            raise NotFoundError(f"account {address} not found")
        return self.accounts[address]

    def balance(self, address: str, denom: str) -> int:
        self._answer()
        return self.balances.get((address, denom), 0)

    def broadcast(self, raw: bytes, *, check: bool) -> BroadcastAnswer:
        self._answer()
        tx = decode_tx(raw)
        self.sent.append(tx)
        if check and self.check_refusal is not None:
            raise self.check_refusal
        self._pending[tx.hash] = tx
        return BroadcastAnswer(0, b"", "", "", tx.hash)

    def wait_for_tx(
        self,
        tx_hash: bytes,
        deadline: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> TxAnswer:
        self._answer()
        for _ in range(self.delay):
            if clock() >= deadline:
                raise WaitTimeoutError("in no block yet")
            sleep(1.0)
        self.make_block()
        return self._outcomes[tx_hash]

    def node(self, node_id: bytes) -> SimulatedRecord:
        self._answer()
        if node_id not in self.records:
            raise NotFoundError(f"node {node_id.hex()} is not registered")
        return self.records[node_id]

    def encrypted_seed(self, node_id: bytes) -> bytes:
        return self.node(node_id).encrypted_seed

    def current_epoch(self) -> int:
        self._answer()
        return 0

    def exchange_key(self) -> bytes:
        self._answer()
        return EXCHANGE_PK

    # --- what a block does ------------------------------------------------------------------

    def make_block(self) -> None:
        height = len(self._outcomes) + 1
        for tx in self._pending.values():
            self._outcomes[tx.hash] = self._execute(tx, height)
        self._pending.clear()

    def _execute(self, tx: Tx, height: int) -> TxAnswer:
        payer = encode_address(self.prefix, address_of(tx.public_key))
        account = self.accounts[payer]
        verify_signature(tx, self.chain_id, account.number)
        assert tx.sequence == account.sequence
        assert tx.gas_limit >= tx.gas_needed
        self.accounts[payer] = SimulatedAccount(account.number, account.sequence + 1)
        for coin in tx.fee_amount:
            self.balances[payer, coin.denom] -= coin.amount
        message = tx.messages[0]
        if isinstance(message, RaAuthenticate):
            node_id = self.node_ids[message.certificate]
            self.records[node_id] = SimulatedRecord(message.sender, 0, height, b"s" * 48)
        if isinstance(message, MsgSend):
            (coin,) = message.amount
            self.balances[payer, coin.denom] -= coin.amount
        return TxAnswer(tx.hash, height, 0, TxResult(gas_used=tx.gas_needed), tx.raw)

    def _answer(self) -> None:
        if self.down_for > 0:
            self.down_for -= 1
            raise ServiceUnavailableError("the node did not answer")


@dataclass
class SimulatedClock:
    """Time that passes only when someone waits."""

    at_s: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at_s

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at_s += seconds
