"""Queries by gRPC method path: registration, accounts, balances, simulation."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app import bank, layout
from enigmacli.app.auth import BASE_ACCOUNT
from enigmacli.app.execute import BlockRun
from enigmacli.app.overlay import Overlay
from enigmacli.app.refusals import RefusedError
from enigmacli.app.register import RECORD
from enigmacli.app.state import CommittedView
from enigmacli.app.store_queries import not_registered
from enigmacli.app.transactions import read_tx
from enigmacli.chain.address import decode_address
from enigmacli.chain.gas import gas_needed
from enigmacli.chain.messages import Coin
from enigmacli.chain.sdk_codes import SdkCode
from enigmacli.chain.tx import Tx
from enigmacli.errors import MalformedError

MAX_PAGE: Final = 200
"""The most nodes of one page."""
_DEFAULT_PAGE: Final = 100
_KEY_BYTES: Final = 32

_PEER: Final = "secret.registration.v1beta1."
_OURS: Final = "enigma.registration.v1."
_AUTH: Final = "cosmos.auth.v1beta1."
_BANK: Final = "cosmos.bank.v1beta1."
_TX: Final = "cosmos.tx.v1beta1."

# what a simulated transaction may lack beside the signed one, with its tags and lengths
_SIGNATURE_BYTES: Final = 66
_PUBLIC_KEY_BYTES: Final = 35
_FEE_BYTES: Final = 64


def call(view: CommittedView, path: str, data: bytes) -> Any:
    """The response message of the method at ``path``.

    Raises:
        RefusedError: no such method, a malformed request, or no answer to it.
    """
    if path not in _METHODS:
        raise RefusedError(SdkCode.UNKNOWN_REQUEST, f"unknown-path: {path[:120]!r}")
    name, method = _METHODS[path]
    try:
        request = protobuf.parse(name, data)
    except ValueError as error:
        raise RefusedError(SdkCode.INVALID_REQUEST, f"request: {error}") from error
    return method(view, request)


def _tx_key(view: CommittedView, _: Any) -> Any:
    return _key(view, layout.IO_KEY)


def _registration_key(view: CommittedView, _: Any) -> Any:
    return _key(view, layout.EXCHANGE_KEY)


def _key(view: CommittedView, name: bytes) -> Any:
    record = protobuf.parse(f"{_PEER}MasterKey", view.get(layout.REGISTER, name))
    return protobuf.new(f"{_PEER}Key", key=record.bytes)


def _encrypted_seed(view: CommittedView, request: Any) -> Any:
    seed = _node_record(view, request.pub_key).encrypted_seed
    return protobuf.new(f"{_PEER}QueryEncryptedSeedResponse", encrypted_seed=seed)


def _node(view: CommittedView, request: Any) -> Any:
    record = _node_record(view, request.node_id)
    return protobuf.new(f"{_OURS}QueryNodeResponse", record=record)


def _node_record(view: CommittedView, node_id: bytes) -> Any:
    if len(node_id) != _KEY_BYTES:
        raise RefusedError(
            SdkCode.INVALID_REQUEST,
            f"node-id: expected {_KEY_BYTES} bytes, seen {len(node_id)}",
        )
    record = view.get(layout.REGISTER, layout.node(node_id))
    if not record:
        raise not_registered(node_id)
    return protobuf.parse(RECORD, record)


def _nodes(view: CommittedView, request: Any) -> Any:
    page = request.pagination
    if page.offset or page.reverse or page.count_total:
        raise RefusedError(SdkCode.NOT_SUPPORTED, "pagination: only key and limit are supported")
    limit = min(page.limit or _DEFAULT_PAGE, MAX_PAGE)
    entries = view.page(layout.REGISTER, layout.NODES, page.key, limit + 1)
    keys = list(entries)
    return protobuf.new(
        f"{_OURS}QueryNodesResponse",
        nodes=[
            {
                "node_id": key[len(layout.NODES) :],
                "record": protobuf.parse(RECORD, entries[key]),
            }
            for key in keys[:limit]
        ],
        pagination={"next_key": keys[limit] if len(keys) > limit else b""},
    )


def _account(view: CommittedView, request: Any) -> Any:
    record = view.get(layout.ACCOUNTS, layout.account(_address(view, request.address)))
    if not record:
        # cosmjs recognises an absent account by these words
        raise RefusedError(
            SdkCode.KEY_NOT_FOUND,
            f"rpc error: code = NotFound desc = account {request.address} not found: key not found",
        )
    account = {"type_url": f"/{BASE_ACCOUNT}", "value": record}
    return protobuf.new(f"{_AUTH}QueryAccountResponse", account=account)


def _balance(view: CommittedView, request: Any) -> Any:
    address = _address(view, request.address)
    try:
        denom = Coin.from_parts(request.denom, "0").denom
    except MalformedError as error:
        raise RefusedError(SdkCode.INVALID_COINS, f"denom: {error.message}") from error
    coin = Coin(denom, bank.balance(view, address, denom))
    return protobuf.new(f"{_BANK}QueryBalanceResponse", balance=coin.message())


def _all_balances(view: CommittedView, request: Any) -> Any:
    coins = bank.balances(view, _address(view, request.address))
    return protobuf.new(
        f"{_BANK}QueryAllBalancesResponse",
        balances=[coin.message() for coin in coins],
        pagination={"total": len(coins)},
    )


def _address(view: CommittedView, text: str) -> bytes:
    prefix = view.get(layout.PARAMS, layout.PREFIX).decode()
    try:
        return decode_address(text, prefix)
    except MalformedError as error:
        raise RefusedError(SdkCode.INVALID_ADDRESS, f"address: {error.message}") from error


def _simulate(view: CommittedView, request: Any) -> Any:
    meta = view.meta()
    run = BlockRun(Overlay(view), meta.height + 1, meta.at_us)
    tx = read_tx(request.tx_bytes, run.params, simulate=True)
    run.simulate(tx)
    gas = {"gas_wanted": tx.gas_limit, "gas_used": _gas_when_signed(tx)}
    return protobuf.new(f"{_TX}SimulateResponse", gas_info=gas, result={})


def _gas_when_signed(tx: Tx) -> int:
    """Gas by the formula, once what a simulated transaction may lack is in it."""
    size = len(tx.raw)
    size += 0 if tx.signature else _SIGNATURE_BYTES
    size += 0 if tx.public_key else _PUBLIC_KEY_BYTES
    size += 0 if tx.fee_amount else _FEE_BYTES
    return gas_needed(size, registers=1 if tx.register else 0)


_METHODS: Final[Mapping[str, tuple[str, Callable[[CommittedView, Any], Any]]]] = MappingProxyType(
    {
        f"/{_PEER}Query/TxKey": ("google.protobuf.Empty", _tx_key),
        f"/{_PEER}Query/RegistrationKey": ("google.protobuf.Empty", _registration_key),
        f"/{_PEER}Query/EncryptedSeed": (f"{_PEER}QueryEncryptedSeedRequest", _encrypted_seed),
        f"/{_OURS}Query/Node": (f"{_OURS}QueryNodeRequest", _node),
        f"/{_OURS}Query/Nodes": (f"{_OURS}QueryNodesRequest", _nodes),
        f"/{_AUTH}Query/Account": (f"{_AUTH}QueryAccountRequest", _account),
        f"/{_BANK}Query/Balance": (f"{_BANK}QueryBalanceRequest", _balance),
        f"/{_BANK}Query/AllBalances": (f"{_BANK}QueryAllBalancesRequest", _all_balances),
        f"/{_TX}Service/Simulate": (f"{_TX}SimulateRequest", _simulate),
    }
)
