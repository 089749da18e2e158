"""``query``: what the chain knows; proven, except for lists, transactions and blocks."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.completers import key_names
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import as_json
from enigmacli.cli.options import chain_options, group
from enigmacli.cli.output import emit, table
from enigmacli.cli.parameters import NODE_ID, TX_HASH

if TYPE_CHECKING:
    from enigmacli.chain.records import NodeRecord

NODE_KEY_FILE: Final = "node-master-key.txt"
IO_KEY_FILE: Final = "io-master-key.txt"


@group("query", examples=("enigmacli query register nodes", "enigmacli query balance alice"))
def command() -> None:
    """Ask the chain."""


@group(
    "register", examples=("enigmacli query register nodes", "enigmacli query register seed NODE_ID")
)
def register() -> None:
    """The registration module: nodes, their encrypted seeds, the network's keys."""


command.add_command(register)


@register.command(
    "seed",
    examples=(
        "enigmacli query register seed NODE_ID",
        "enigmacli query register seed NODE_ID | cut -c 3-  # without its 0x",
    ),
)
@click.argument("node_id", type=NODE_ID)
@chain_options
@pass_services
def seed(services: Services, node_id: bytes) -> None:
    """The seed as the network encrypted it to NODE_ID (64 hex characters)."""
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    chain = proving(services)
    with _expected_to_be_registered(services, node_id):
        encrypted = f"0x{chain.encrypted_seed(node_id).hex()}"
    document = {"node_id": node_id.hex(), "encrypted_seed": encrypted}
    emit(services, document | verified_document(chain), encrypted)


@register.command(
    "secret-network-params",
    examples=(
        "enigmacli query register secret-network-params",
        "enigmacli query register secret-network-params --out-dir keys",
    ),
)
@click.option(
    "--out-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Where the two files go [default: the current folder].",
)
@chain_options
@pass_services
def secret_network_params(services: Services, out_dir: Path) -> None:
    """Write node-master-key.txt and io-master-key.txt, and print both keys as JSON."""
    from enigmacli import home as homes  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    chain = proving(services)
    keys = (chain.registration_key(), chain.tx_key())
    _check_against_genesis(services, keys)
    node_key, io_key = (base64.b64encode(key).decode() for key in keys)
    homes.replace(out_dir / NODE_KEY_FILE, node_key.encode())
    homes.replace(out_dir / IO_KEY_FILE, io_key.encode())
    document = {"node_exch_key": {"bytes": node_key}, "io_exch_key": {"bytes": io_key}}
    emit(services, document | verified_document(chain), lambda: as_json(document, indent=2))


def _check_against_genesis(services: Services, keys: tuple[bytes, bytes]) -> None:
    """Refuse keys that are not those of this home's genesis document, where it has any.

    Raises:
        UntrustedAnswerError: the node gave another network's keys.
    """
    from enigmacli.errors import UntrustedAnswerError  # noqa: PLC0415 -- not paid by --help

    known = services.genesis.app_state.keys if services.has_genesis else None
    if known is not None and (known.exchange_pk, known.io_pk) != keys:
        raise UntrustedAnswerError(
            "the node's keys are not those of this home's genesis document",
            hint="name a node of your network with --node",
            details={"expected": known.exchange_pk.hex(), "seen": keys[0].hex()},
        )


@register.command(
    "node",
    examples=(
        "enigmacli query register node NODE_ID",
        "enigmacli query register node NODE_ID --node http://127.0.0.1:26657 -o json",
    ),
)
@click.argument("node_id", type=NODE_ID)
@chain_options
@pass_services
def node(services: Services, node_id: bytes) -> None:
    """The record of NODE_ID."""
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    chain = proving(services)
    with _expected_to_be_registered(services, node_id):
        document = record_document(services, chain.node(node_id))
    emit(services, document | verified_document(chain), lambda: _lines(document))


@contextmanager
def _expected_to_be_registered(services: Services, node_id: bytes) -> Iterator[None]:
    """Give the failure to find a node its own name.

    Raises:
        NotRegisteredError: the chain does not know the node.
    """
    from enigmacli.errors import NotFoundError, NotRegisteredError  # noqa: PLC0415

    try:
        yield
    except NotFoundError as error:
        raise NotRegisteredError(
            f"node {node_id.hex()} is not registered",
            hint=f"{services.program} query register nodes",
            details=error.details,
        ) from error


@register.command(
    "nodes",
    examples=(
        "enigmacli query register nodes",
        "enigmacli query register nodes -o json | jq -r '.nodes[].node_id'",
    ),
)
@chain_options
@pass_services
def nodes(services: Services) -> None:
    """Every registered node, as the node asked says: only single records can be proven."""
    found = [record_document(services, record) for record in services.queries().nodes()]
    columns = ("node_id", "owner", "height", "evidence_kind", "tcb_status")
    rows = [columns, *(tuple(str(record[name]) for name in columns) for record in found)]
    words = table(rows, heading=True) if found else "no node is registered"
    emit(services, {"nodes": found}, words)


def record_document(services: Services, record: "NodeRecord") -> dict[str, Any]:
    """A node's record as JSON values."""
    from enigmacli.chain.address import encode_address  # noqa: PLC0415 -- not paid by --help

    owned = any(record.owner)
    return {
        "node_id": record.node_id.hex(),
        "owner": encode_address(services.prefix, record.owner) if owned else None,
        "height": record.height,
        "epoch": record.epoch,
        "evidence_kind": record.evidence_kind,
        "measurement": record.measurement.hex(),
        "tcb_status": record.tcb_status,
        "evidence_sha256": record.evidence_sha256.hex(),
        "encrypted_seed": f"0x{record.encrypted_seed.hex()}",
    }


@command.command(
    "account", examples=("enigmacli query account alice", "enigmacli query account ADDRESS -o json")
)
@click.argument("named", metavar="ADDRESS|KEY", shell_complete=key_names)
@chain_options
@pass_services
def account(services: Services, named: str) -> None:
    """Number and sequence of an account."""
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    chain = proving(services)
    address = _address(services, named)
    found = chain.account(address)
    document = {"address": address, "account_number": found.number, "sequence": found.sequence}
    emit(services, document | verified_document(chain), lambda: _lines(document))


@command.command(
    "balance",
    examples=(
        "enigmacli query balance alice",
        "enigmacli query balance ADDRESS --denom uscrt -o json",
    ),
)
@click.argument("named", metavar="ADDRESS|KEY", shell_complete=key_names)
@click.option("--denom", default="uscrt", show_default=True, help="Denomination.")
@chain_options
@pass_services
def balance(services: Services, named: str, denom: str) -> None:
    """What an account holds."""
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    chain = proving(services)
    address = _address(services, named)
    held = chain.balance(address, denom)
    document = {"address": address, "denom": denom, "amount": str(held)}
    emit(services, document | verified_document(chain), f"{held}{denom}")


def _address(services: Services, named: str) -> str:
    """An account as text, given by address or, in a home of the network, by a key's name.

    Raises:
        click.BadParameter: it looks like an address and is none.
        KeyringError: there is no such key.
    """
    from enigmacli.chain.address import decode_address, encode_address  # noqa: PLC0415
    from enigmacli.cli.addresses import address_named  # noqa: PLC0415
    from enigmacli.errors import MalformedError  # noqa: PLC0415

    try:
        if not services.has_genesis:
            decode_address(named)
            return named
        return encode_address(services.prefix, address_named(services, named))
    except MalformedError as error:
        raise click.BadParameter(error.message) from error


@command.command("tx", examples=("enigmacli query tx HASH",))
@click.argument("tx_hash", metavar="HASH", type=TX_HASH)
@chain_options
@pass_services
def tx(services: Services, tx_hash: bytes) -> None:
    """A transaction and what its execution gave, by its HASH."""
    found = services.rpc().tx(tx_hash)
    result = found.result
    document = {
        "tx_hash": found.hash.hex().upper(),
        "height": found.height,
        "index": found.index,
        "code": result.code,
        "codespace": result.codespace,
        "log": result.log,
        "gas_wanted": result.gas_wanted,
        "gas_used": result.gas_used,
        "events": [
            {
                "type": event.type,
                "attributes": {one.key: one.value for one in event.attributes},
            }
            for event in result.events
        ],
    }
    plain = {name: value for name, value in document.items() if name != "events"}
    emit(services, document, lambda: _lines(plain))


@command.command(
    "block", examples=("enigmacli query block  # the newest", "enigmacli query block 1 -o json")
)
@click.argument("height", type=click.IntRange(min=1), required=False)
@chain_options
@pass_services
def block(services: Services, height: int | None) -> None:
    """The block at HEIGHT, by default the newest."""
    from enigmacli.chain.block_time import format_time  # noqa: PLC0415 -- not paid by --help
    from enigmacli.chain.tx import tx_hash as hash_of  # noqa: PLC0415

    found = services.rpc().block(height)
    header = found.block.header
    document = {
        "height": header.height,
        "chain_id": header.chain_id,
        "time": format_time(header.time_ns),
        "hash": found.block_id.hash.hex().upper(),
        "app_hash": header.app_hash.hex().upper(),
        "proposer": header.proposer_address.hex().upper(),
        "txs": [hash_of(raw).hex().upper() for raw in found.block.txs],
    }
    emit(services, document, lambda: _lines(document))


def _lines(document: dict[str, Any]) -> str:
    shown = {
        name: " ".join(value) if isinstance(value, list) else value
        for name, value in document.items()
        if value not in ("", None, [])
    }
    return table([(name.replace("_", " "), str(value)) for name, value in shown.items()])
