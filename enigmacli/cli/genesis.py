"""``enigmacli genesis``: the document that a network starts from."""

import base64
import binascii
from collections.abc import Callable

import click

from enclave.appraise.policy import Policy
from enigmacli import home as homes
from enigmacli.app import genesis as documents
from enigmacli.app.genesis import GenesisDocument, GenesisValidator, genesis_hash
from enigmacli.bootstrap import DEFAULT_POWER
from enigmacli.chain.messages import Coin
from enigmacli.chain.sdk_codes import TxInvalidError
from enigmacli.cli import inputs
from enigmacli.cli.addresses import address_named
from enigmacli.cli.completers import key_names
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import group, keyring_options
from enigmacli.cli.output import emit
from enigmacli.engine.validator_key import Ed25519Key
from enigmacli.errors import NotBootstrappedError

_KEY_BYTES = 32


_dry_run = click.option("--dry-run", is_flag=True, help="Say what would change, change nothing.")


@group(
    "genesis",
    examples=(
        "enigmacli genesis show --hash  # what the others of the network compare",
        "enigmacli genesis validate",
    ),
)
def command() -> None:
    """The genesis document: accounts, validators, appraisal policy."""


@command.command(
    "add-account",
    examples=(
        "enigmacli genesis add-account alice 1000000000uscrt",
        "enigmacli genesis add-account ADDRESS 1000uscrt --dry-run",
    ),
)
@click.argument("account", metavar="ADDRESS|KEY", shell_complete=key_names)
@click.argument("coins", required=False, default="")
@_dry_run
@keyring_options
@pass_services
def add_account(services: Services, account: str, coins: str, *, dry_run: bool) -> None:
    """Add an account, given by ADDRESS or by the name of a KEY, with COINS (100uscrt,5foo).

    The same account with the same coins again changes nothing.
    """
    address = address_named(services, account)
    owned = _coins(coins)
    document, changed = _change(
        services, lambda old: old.with_account(address, owned), dry_run=dry_run
    )
    text = document.app_state.bech32(address)
    shown = [{"denom": coin.denom, "amount": str(coin.amount)} for coin in owned]
    emit(
        services,
        {"address": text, "coins": shown, "changed": changed},
        f"{text} {'added' if changed else 'was there already'}",
    )


@command.command(
    "add-validator",
    examples=(
        "enigmacli genesis add-validator --operator alice",
        "enigmacli genesis add-validator --operator ADDRESS --pubkey BASE64 --node-id NODE_ID",
    ),
)
@click.option("--operator", metavar="ADDRESS|KEY", required=True, help="Account that votes for it.")
@click.option("--pubkey", metavar="BASE64", help="Consensus key [default: this home's].")
@click.option("--node-id", metavar="HEX", help="Its node [default: the bootstrap node].")
@click.option("--power", type=click.IntRange(1), default=DEFAULT_POWER, show_default=True)
@click.option("--name", help="For people [default: this home's moniker].")
@_dry_run
@keyring_options
@pass_services
def add_validator(
    services: Services,
    *,
    operator: str,
    pubkey: str | None,
    node_id: str | None,
    power: int,
    name: str | None,
    dry_run: bool,
) -> None:
    """Add a validator, or replace the one with the same key."""
    votes = address_named(services, operator)
    key = _public_key(pubkey) if pubkey else _own_key(services)
    called = services.config.node.moniker if name is None else name
    validator = GenesisValidator(key, power, called)
    _, changed = _change(
        services,
        lambda old: old.with_validator(validator, votes, _node_id(old, node_id)),
        dry_run=dry_run,
    )
    shown = base64.b64encode(key).decode()
    emit(
        services,
        {"pubkey": shown, "address": validator.address.hex().upper(), "changed": changed},
        f"validator {shown} {'set' if changed else 'was there already'}",
    )


@command.command(
    "set-policy",
    examples=(
        "enigmacli genesis set-policy policy.json --dry-run",
        "enigmacli genesis set-policy policy.json",
    ),
)
@click.argument("file", metavar="FILE")
@_dry_run
@pass_services
def set_policy(services: Services, file: str, *, dry_run: bool) -> None:
    """Set the appraisal policy from FILE (JSON; '-': standard input).

    Possible until the bootstrap: from then on another policy is another network.
    """
    policy = Policy.parse_any_layout(inputs.read_input(file))
    services.warn_if_simulated(policy)
    _, changed = _change(services, lambda old: old.with_policy(policy), dry_run=dry_run)
    words = "the policy is set" if changed else "the policy was the same already"
    emit(services, {"policy": policy.to_value(), "changed": changed}, words)


@command.command(
    "validate", examples=("enigmacli genesis validate", "enigmacli genesis validate genesis.json")
)
@click.argument("file", metavar="[FILE]", required=False)
@pass_services
def validate(services: Services, file: str | None) -> None:
    """Check this home's document, or FILE, as the start of a chain does.

    Only an enclave can judge the bootstrap evidence; start has that done.
    """
    data = inputs.read_input(file) if file else services.home.read_genesis()
    document = GenesisDocument.parse(data)
    services.warn_if_simulated(document.app_state.policy)
    documents.validate(document)
    emit(
        services,
        {"valid": True, "chain_id": document.chain_id, "genesis_hash": genesis_hash(data)},
        f"the genesis document of {document.chain_id} is valid",
    )


@command.command(
    "show", examples=("enigmacli genesis show > genesis.json", "enigmacli genesis show --hash")
)
@click.option("--hash", "only_hash", is_flag=True, help="Only the document's SHA-256.")
@pass_services
def show(services: Services, *, only_hash: bool) -> None:
    """Show this home's document, or its hash."""
    data = services.home.read_genesis()
    document = GenesisDocument.parse(data)
    if only_hash:
        shown = {"chain_id": document.chain_id, "genesis_hash": genesis_hash(data)}
        emit(services, shown, genesis_hash(data))
    else:
        emit(services, document.to_value(), data.decode().rstrip("\n"))


def _change(
    services: Services, change: Callable[[GenesisDocument], GenesisDocument], *, dry_run: bool
) -> tuple[GenesisDocument, bool]:
    """Change this home's document while no one else does; says whether it differs.

    With ``dry_run`` nothing is written.
    """
    home = services.home
    with home.lock():
        before = GenesisDocument.parse(home.read_genesis())
        after = change(before)
        if after != before and not dry_run:
            homes.replace(home.genesis_file, after.encode())
    return after, after != before


def _coins(text: str) -> tuple[Coin, ...]:
    try:
        return tuple(Coin.parse(part.strip()) for part in text.split(",") if part.strip())
    except TxInvalidError as error:
        raise click.BadParameter(str(error), param_hint="COINS") from error


def _public_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise click.BadParameter("32 bytes in base64 are wanted", param_hint="--pubkey")
    return key


def _own_key(services: Services) -> bytes:
    return Ed25519Key.load(services.home.priv_validator_key_file).public_key


def _node_id(document: GenesisDocument, text: str | None) -> bytes:
    if text is None:
        if document.app_state.keys is None:
            raise NotBootstrappedError(
                "the bootstrap node is not known yet", hint="enigmacli bootstrap, or --node-id HEX"
            )
        return document.app_state.keys.exchange_pk
    try:
        node_id = bytes.fromhex(text)
    except ValueError:
        node_id = b""
    if len(node_id) != _KEY_BYTES:
        raise click.BadParameter("64 hex digits are wanted", param_hint="--node-id")
    return node_id
