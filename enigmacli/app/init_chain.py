"""The state that a chain starts from, built from genesis (protocol.md sections 6 and 9)."""

from dataclasses import dataclass

from enigmacli import protobuf
from enigmacli.app import auth, bank, layout
from enigmacli.app.app_state import AppState, NetworkKeys, check_complete
from enigmacli.app.consensus_params import check_block_limits
from enigmacli.app.genesis import GenesisDocument, check_chain_name, check_match, check_start
from enigmacli.app.genesis_nodes import GenesisNode
from enigmacli.app.overlay import NoState, Overlay
from enigmacli.app.params import Params
from enigmacli.app.ports import Admitter
from enigmacli.app.register import RECORD
from enigmacli.app.validators import Validator, save_validator


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the engine says when a chain starts."""

    chain_id: str
    at_us: int
    """Genesis time in microseconds since the Unix epoch."""
    initial_height: int
    max_bytes: int
    max_gas: int
    powers: dict[bytes, int]
    """Of the engine's validators by 32-byte Ed25519 key."""
    app_state: AppState

    @classmethod
    def of(cls, document: GenesisDocument) -> "Start":
        """What an engine says about a genesis document."""
        return cls(
            chain_id=document.chain_id,
            at_us=document.genesis_time_us,
            initial_height=document.initial_height,
            max_bytes=document.consensus.max_bytes,
            max_gas=document.consensus.max_gas,
            powers={one.public_key: one.power for one in document.validators},
            app_state=document.app_state,
        )


def initial_state(start: Start) -> Overlay:
    """The state before the first block, its keys in the order in which they get indices.

    The bootstrap evidence is not judged here; see :func:`judge_bootstrap`.

    Raises:
        NotBootstrappedError: the network's keys are missing.
        GenesisError: another rule is broken.
    """
    check_chain_name(start.chain_id)
    check_block_limits(start.max_bytes, start.max_gas)
    policy, keys = check_complete(start.app_state)
    check_start(keys, start.at_us)
    check_match(start.app_state, start.powers)
    params = Params(
        chain_id=start.chain_id,
        prefix=start.app_state.prefix,
        policy=policy,
        max_bytes=start.max_bytes,
        max_gas=start.max_gas,
        epoch=0,
    )
    state = Overlay(NoState())
    params.save(state)
    _save_accounts(state, start.app_state)
    _save_keys(state, keys)
    _save_validators(state, start)
    for node in start.app_state.registration:
        _save_node(state, node)
    return _ordered(state, start.app_state.registration)


def judge_bootstrap(start: Start, admitter: Admitter) -> None:
    """Have the own enclave judge the evidence of the network's keys.

    Raises:
        EnclaveError: why it is refused, or that nobody answers.
    """
    _, keys = check_complete(start.app_state)
    admitter.judge_bootstrap(keys.certificate, keys.at_us, keys.exchange_pk, keys.io_pk)


def _save_accounts(state: Overlay, app_state: AppState) -> None:
    for number, address in enumerate(app_state.accounts):
        auth.save_account(state, auth.Account(address, number), app_state.prefix)
    state.set(layout.ACCOUNTS, layout.NEXT_ACCOUNT_NUMBER, len(app_state.accounts).to_bytes(8))
    for balance in app_state.balances:
        for coin in balance.coins:
            bank.set_balance(state, balance.address, coin)


def _save_keys(state: Overlay, keys: NetworkKeys) -> None:
    for name, key in ((layout.EXCHANGE_KEY, keys.exchange_pk), (layout.IO_KEY, keys.io_pk)):
        record = protobuf.new("secret.registration.v1beta1.MasterKey", bytes=key)
        for raw in (name, layout.of_epoch(name, 0)):
            state.set(layout.REGISTER, raw, record.SerializeToString())


def _save_validators(state: Overlay, start: Start) -> None:
    for entry in start.app_state.validators:
        power = start.powers[entry.consensus_pubkey]
        save_validator(
            state, Validator(entry.consensus_pubkey, power, entry.operator, entry.node_id)
        )


def _save_node(state: Overlay, node: GenesisNode) -> None:
    record = protobuf.new(
        RECORD,
        evidence_sha256=node.evidence_sha256,
        encrypted_seed=node.encrypted_seed,
        owner=node.owner,
        height=node.height,
        evidence_kind=node.evidence_kind,
        measurement=node.measurement,
        tcb_status=node.tcb_status,
    )
    state.set(layout.REGISTER, layout.node(node.node_id), record.SerializeToString())


def _ordered(state: Overlay, nodes: tuple[GenesisNode, ...]) -> Overlay:
    """The same entries in ascending order of keys, node records in the order of their list."""
    places = {layout.node(node.node_id): place for place, node in enumerate(nodes)}

    def order(entry: tuple[str, bytes]) -> tuple[str, bytes, int, bytes]:
        store, key = entry
        place = places.get(key, 0) if store == layout.REGISTER else 0
        return (store, key[:1], place, key)

    ordered = Overlay(NoState())
    for store, key in sorted(state.changes, key=order):
        ordered.set(store, key, state.changes[store, key])
    return ordered
