"""A chain of one application in memory, driven as an engine drives it: by encoded requests."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import coincurve

from enclave.appraise.policy import Policy
from enigmacli import protobuf
from enigmacli.app.app_state import AppState, Balance, NetworkKeys, ValidatorEntry
from enigmacli.app.application import Application
from enigmacli.app.consensus_params import ConsensusParams
from enigmacli.app.genesis import GenesisDocument, GenesisValidator
from enigmacli.app.genesis_nodes import GenesisNode
from enigmacli.app.state import StateStore
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.gas import fee_for
from enigmacli.chain.messages import Coin, Message, MsgSend, RaAuthenticate, SetValidator
from enigmacli.chain.signing import (
    build_and_sign,
    encode_auth_info,
    encode_body,
    encode_tx,
    sign,
    sign_bytes,
)
from tests.enigmacli.app.simulated_enclave import MEASUREMENT, SimulatedEnclave, evidence

CHAIN_ID = "enigma-test"
GENESIS_US = 1_780_000_000 * 1_000_000
BLOCK_US = 5_000_000
FUNDS = 1_000_000_000
EXCHANGE_PK = bytes.fromhex("b294e0e1fe25e7576ac6ff78642d404b1686f921356d64ef740f23f6e8ebc85a")
IO_PK = bytes.fromhex("7dec438dd58f765423cc52ff0eaff0a8afaf6790f7c76be25ffffa8fc30bdc0d")
PRICE = "0.0025uscrt"


def policy(**changes: Any) -> Policy:
    """A policy that requires owners; the simulated enclave has its own idea of evidence."""
    value: dict[str, Any] = {
        "trust_roots": ["intel"],
        "evidence_kinds": ["epid"],
        "measurements": [{"mr_enclave": MEASUREMENT.hex()}],
        "epid_quote_statuses": ["OK"],
        "platform_tcb_statuses": [],
        "qe_tcb_statuses": [],
        "advisories": [],
        "min_tcb_evaluation_data_number": 0,
        "max_evidence_age_s": 86_400,
        "max_clock_skew_s": 30,
        "allow_debug": False,
        "require_owner": True,
        "max_registrations_per_block": 3,
        "min_gas_price": PRICE,
        "simulation": False,
    }
    return Policy.from_value(value | changes)


@dataclass(frozen=True)
class Person:
    """Somebody with an account key."""

    name: str

    @cached_property
    def key(self) -> coincurve.PrivateKey:
        return coincurve.PrivateKey(hashlib.sha256(self.name.encode()).digest())

    @property
    def public_key(self) -> bytes:
        return self.key.public_key.format()

    @property
    def address(self) -> bytes:
        return address_of(self.public_key)

    @property
    def bech32(self) -> str:
        return encode_address("enigma", self.address)

    @property
    def node_id(self) -> bytes:
        """A canonical public key of this person's node."""
        return hashlib.sha256(b"node of " + self.name.encode()).digest()[:31] + b"\x01"

    @property
    def consensus_key(self) -> bytes:
        return hashlib.sha256(b"validator of " + self.name.encode()).digest()


ALICE, BOB, CAROL, DAVE, ERIN = (Person(name) for name in ("alice", "bob", "carol", "dave", "erin"))
PEOPLE = (ALICE, BOB, CAROL, DAVE, ERIN)


def genesis(
    powers: dict[Person, int] | None = None,
    *,
    max_bytes: int = 1_048_576,
    max_gas: int = 50_000_000,
    initial_height: int = 1,
    network_policy: Policy | None = None,
    registration: tuple[GenesisNode, ...] | None = None,
) -> GenesisDocument:
    """A document of a chain whose first validator is the bootstrap node, others carried over."""
    powers = powers or {ALICE: 10}
    first, *others = powers
    nodes = {first: EXCHANGE_PK} | {person: person.node_id for person in others}
    entries = [ValidatorEntry(p.consensus_key, p.address, nodes[p]) for p in powers]
    carried = tuple(carried_node(person) for person in others)
    return GenesisDocument(
        chain_id=CHAIN_ID,
        genesis_time_us=GENESIS_US,
        initial_height=initial_height,
        consensus=ConsensusParams(max_bytes=max_bytes, max_gas=max_gas),
        validators=tuple(
            GenesisValidator(person.consensus_key, powers[person])
            for person in sorted(powers, key=lambda one: one.consensus_key)
        ),
        app_state=AppState(
            accounts=tuple(sorted(person.address for person in PEOPLE)),
            balances=tuple(
                Balance(address, (Coin("uscrt", FUNDS),))
                for address in sorted(person.address for person in PEOPLE)
            ),
            validators=tuple(sorted(entries, key=lambda one: one.consensus_pubkey)),
            policy=network_policy or policy(),
            keys=NetworkKeys(EXCHANGE_PK, IO_PK, b"bootstrap evidence", GENESIS_US - 60_000_000),
            registration=carried if registration is None else registration,
        ),
    )


def carried_node(person: Person) -> GenesisNode:
    """A record of a person's node, carried over from an earlier chain."""
    return GenesisNode(
        node_id=person.node_id,
        evidence_sha256=bytes(32),
        encrypted_seed=bytes(48),
        owner=person.address,
        height=7,
        evidence_kind="epid",
        measurement=MEASUREMENT,
        tcb_status="OK",
    )


class Chain:
    """One node and its engine."""

    def __init__(
        self,
        document: GenesisDocument | None = None,
        *,
        enclave: SimulatedEnclave | None = None,
        path: Path | None = None,
    ) -> None:
        self.genesis = document or genesis()
        self.enclave = enclave or SimulatedEnclave()
        self.store = StateStore(path) if path else StateStore.memory()
        self.app = Application(self.store, self.enclave, self.enclave, version="1.2.3")
        self.blocks: list[tuple[int, int, tuple[bytes, ...]]] = []
        self.app_hashes: list[bytes] = []
        self.results: list[Any] = []

    # --- requests -------------------------------------------------------------------------

    def ask(self, kind: str, message: Any) -> Any:
        """One request and its response, as bytes over the application's one door."""
        request = protobuf.new("tendermint.abci.Request", **{kind: message})
        response = protobuf.parse(
            "tendermint.abci.Response", self.app.handle(request.SerializeToString())
        )
        assert response.WhichOneof("value") == kind
        return getattr(response, kind)

    def start(self) -> "Chain":
        """InitChain."""
        self.init_chain()
        return self

    def init_chain(self, document: GenesisDocument | None = None) -> Any:
        document = document or self.genesis
        return self.ask(
            "init_chain",
            {
                "time": timestamp(document.genesis_time_us),
                "chain_id": document.chain_id,
                "consensus_params": document.consensus.to_message(),
                "validators": [
                    {"pub_key": {"ed25519": one.public_key}, "power": one.power}
                    for one in document.validators
                ],
                "app_state_bytes": document.app_state_bytes(),
                "initial_height": document.initial_height,
            },
        )

    def info(self) -> Any:
        return self.ask("info", {})

    def check(self, raw: bytes, *, again: bool = False) -> Any:
        return self.ask("check_tx", {"tx": raw, "type": int(again)})

    def prepare(self, txs: Sequence[bytes], max_tx_bytes: int = 1_000_000) -> list[bytes]:
        request = self._header() | {"txs": txs, "max_tx_bytes": max_tx_bytes}
        return list(self.ask("prepare_proposal", request).txs)

    def process(self, txs: Sequence[bytes]) -> bool:
        status = self.ask("process_proposal", self._header() | {"txs": txs}).status
        assert status in (1, 2)
        return bool(status == 1)

    def finalize(self, txs: Sequence[bytes]) -> Any:
        return self.ask("finalize_block", self._header() | {"txs": txs})

    def commit(self) -> None:
        self.ask("commit", {})

    def decide(self, txs: Sequence[bytes]) -> Any:
        """Finalize and commit a block with just these transactions."""
        header, response = (self.height + 1, self.next_us), self.finalize(txs)
        self.commit()
        self.blocks.append((*header, tuple(txs)))
        self.app_hashes.append(response.app_hash)
        self.results.append(response)
        return response

    def produce(self, txs: Sequence[bytes]) -> Any:
        """A block from Prepare to Commit."""
        proposal = self.prepare(txs)
        assert self.process(proposal), self.app.take_reasons()
        return self.decide(proposal)

    def query(self, path: str, data: bytes = b"", *, height: int = 0, prove: bool = False) -> Any:
        return self.ask("query", {"path": path, "data": data, "height": height, "prove": prove})

    # --- what the chain says ----------------------------------------------------------------

    @property
    def height(self) -> int:
        """Of the last block; before the first, one less than the initial height."""
        return self.store.meta.height or self.genesis.initial_height - 1

    @property
    def next_us(self) -> int:
        """Time of the next block."""
        return GENESIS_US + (self.height + 1) * BLOCK_US

    def account(self, person: Person) -> tuple[int, int]:
        """Number and sequence; of genesis before the first block."""
        if not self.store.meta.height:
            return self.genesis.app_state.accounts.index(person.address), 0
        request = protobuf.new("cosmos.auth.v1beta1.QueryAccountRequest", address=person.bech32)
        answer = self.query("/cosmos.auth.v1beta1.Query/Account", request.SerializeToString())
        assert answer.code == 0, answer.log
        response = protobuf.parse("cosmos.auth.v1beta1.QueryAccountResponse", answer.value)
        found = protobuf.parse("cosmos.auth.v1beta1.BaseAccount", response.account.value)
        return found.account_number, found.sequence

    def balance(self, person: Person) -> int:
        """What somebody owns."""
        request = protobuf.new(
            "cosmos.bank.v1beta1.QueryBalanceRequest", address=person.bech32, denom="uscrt"
        )
        answer = self.query("/cosmos.bank.v1beta1.Query/Balance", request.SerializeToString())
        response = protobuf.parse("cosmos.bank.v1beta1.QueryBalanceResponse", answer.value)
        return int(response.balance.amount)

    # --- transactions -----------------------------------------------------------------------

    def sign(
        self,
        person: Person,
        message: Message,
        *,
        after: int = 0,
        gas: int = 400_000,
        fee: int | None = None,
        chain_id: str = CHAIN_ID,
        timeout_height: int = 0,
        memo: str = "",
    ) -> bytes:
        """A transaction that is ``after`` others of the same sender that wait."""
        number, sequence = self.account(person)
        least = fee_for(gas, policy().gas_price())
        coins = (least,) if fee is None else (Coin("uscrt", fee),) if fee else ()
        return build_and_sign(
            message,
            sign=lambda document: sign(person.key, document),
            public_key=person.public_key,
            chain_id=chain_id,
            account_number=number,
            sequence=sequence + after,
            gas_limit=gas,
            fee=coins,
            timeout_height=timeout_height,
            memo=memo,
        )

    def sign_all(self, person: Person, messages: Sequence[Message], gas: int = 400_000) -> bytes:
        """A transaction of several messages."""
        number, sequence = self.account(person)
        bodies = [
            protobuf.parse("cosmos.tx.v1beta1.TxBody", encode_body(one)).messages[0]
            for one in messages
        ]
        body = protobuf.new("cosmos.tx.v1beta1.TxBody", messages=bodies).SerializeToString()
        fee = (fee_for(gas, policy().gas_price()),)
        auth = encode_auth_info(person.public_key, sequence, gas, fee)
        return encode_tx(body, auth, sign(person.key, sign_bytes(body, auth, CHAIN_ID, number)))

    def send(self, sender: Person, to: Person | bytes, amount: int = 1, **options: Any) -> bytes:
        address = to if isinstance(to, bytes) else to.address
        text = encode_address("enigma", address)
        message = MsgSend(sender.bech32, text, (Coin("uscrt", amount),))
        return self.sign(sender, message, **options)

    def register(
        self,
        person: Person,
        *,
        node_id: bytes | None = None,
        owner: bytes | None = None,
        certificate: bytes | None = None,
        verdict: int = 0,
        valid_from_us: int = 0,
        valid_until_us: int = 2**62,
        **options: Any,
    ) -> bytes:
        found = certificate
        if found is None:
            found = evidence(
                node_id or person.node_id,
                person.address if owner is None else owner,
                verdict=verdict,
                valid_from_us=valid_from_us,
                valid_until_us=valid_until_us,
            )
        return self.sign(person, RaAuthenticate(person.address, found), **options)

    def vote(
        self, person: Person, candidate: Person, power: int, *, node_id: bytes = b"", **options: Any
    ) -> bytes:
        message = SetValidator(
            person.address, candidate.consensus_key, power, node_id or candidate.node_id
        )
        return self.sign(person, message, **options)

    def _header(self) -> dict[str, Any]:
        return {"height": self.height + 1, "time": timestamp(self.next_us)}


def timestamp(at_us: int) -> dict[str, int]:
    """A protobuf timestamp's fields."""
    seconds, rest = divmod(at_us, 1_000_000)
    return {"seconds": seconds, "nanos": rest * 1_000}
