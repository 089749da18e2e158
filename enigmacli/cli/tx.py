"""``tx``: transactions, each with a preview, a price that is checked first, and a receipt."""

from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import inputs, sending
from enigmacli.cli.accounts import acting_account
from enigmacli.cli.addresses import address_named
from enigmacli.cli.completers import key_names
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import group, tx_options
from enigmacli.cli.output import emit, say
from enigmacli.cli.parameters import COIN, CONSENSUS_KEY, NODE_ID
from enigmacli.errors import NotFoundError

if TYPE_CHECKING:
    from enigmacli.chain.light_queries import VerifiedQueries
    from enigmacli.chain.messages import Coin, Message
    from enigmacli.chain.queries import Queries
    from enigmacli.keyring import AccountKey

_MAX_POWER: Final = 2**50  # protocol.md section 7


@group(
    "tx",
    examples=(
        "enigmacli tx register auth evidence.der --from alice -y",
        "enigmacli tx bank send alice ADDRESS 1000uscrt",
    ),
)
def command() -> None:
    """Send a transaction: register, transfer, validator power."""


@group("register", examples=("enigmacli tx register auth evidence.der --from alice",))
def register() -> None:
    """Register a node."""


@group("bank", examples=("enigmacli tx bank send alice ADDRESS 1000uscrt",))
def bank() -> None:
    """Coins."""


@group(
    "validator", examples=("enigmacli tx validator set PUBKEY 10 --node-id NODE_ID --from alice",)
)
def validator() -> None:
    """Validators and their power."""


for _group in (register, bank, validator):
    command.add_command(_group)


@register.command(
    "auth",
    examples=(
        "enigmacli tx register auth evidence.der --from alice",
        "enigmacli tx register auth evidence.der --from alice --dry-run  # sends nothing",
        "enigmacli tx register auth evidence.der --from alice -y -o json",
    ),
)
@click.argument("file", metavar="FILE")
@click.option(
    "--no-preview", is_flag=True, help="Do not judge the evidence here before a fee is paid."
)
@tx_options
@pass_services
def auth(
    services: Services, file: str, *, no_preview: bool, dry_run: bool, generate_only: bool
) -> None:
    """Send the registration with the evidence in FILE ('-': standard input).

    The evidence is judged first, as the validators will do, so that a refusal costs no fee. A
    node that is registered already sends nothing.
    """
    from enigmacli.cli.registering import Candidate  # noqa: PLC0415 -- not paid by --help

    candidate = Candidate.read(services, inputs.read_input(file), preview=not no_preview)
    if dry_run or generate_only:
        candidate.rehearse(generate_only=generate_only)
        return
    result = candidate.register()
    document: dict[str, Any] = {
        "node_id": result.node_id.hex(),
        "owner": candidate.account.address,
        "sent": result.receipt is not None,
        "height": result.height,
    }
    if result.receipt is None:
        emit(
            services, document,
            f"node {result.node_id.hex()} is registered since height {result.height}; "
            "nothing was sent",
        )  # fmt: skip
        return
    emit(
        services,
        document | sending.receipt_document(result.receipt),
        f"node {result.node_id.hex()}\n{sending.receipt_text(result.receipt)}\n"
        f"next: {services.program} seed wait",
    )


@bank.command(
    "send",
    examples=(
        "enigmacli tx bank send alice ADDRESS 1000uscrt",
        "enigmacli tx bank send alice ADDRESS 1000uscrt --generate-only > unsigned.json",
    ),
)
@click.argument("sender", metavar="FROM", shell_complete=key_names)
@click.argument("recipient", metavar="TO")
@click.argument("amount", metavar="AMOUNT", type=COIN)
@tx_options
@pass_services
def bank_send(
    services: Services,
    sender: str,
    recipient: str,
    amount: "Coin",
    *,
    dry_run: bool,
    generate_only: bool,
) -> None:
    """Send AMOUNT (like 100uscrt) from the key or address FROM to the key or address TO."""
    from enigmacli.chain.address import encode_address  # noqa: PLC0415 -- not paid by --help
    from enigmacli.chain.messages import MsgSend  # noqa: PLC0415
    from enigmacli.cli.network import connect  # noqa: PLC0415

    account = acting_account(services, sender)
    to_address = encode_address(services.prefix, address_named(services, recipient))
    message = MsgSend(account.address, to_address, (amount,))
    _send(
        services, connect(services), message, account, f"send {amount} to {to_address}",
        spends=amount, dry_run=dry_run, generate_only=generate_only,
    )  # fmt: skip


@validator.command(
    "set",
    examples=(
        "enigmacli tx validator set PUBKEY 10 --node-id NODE_ID --from alice",
        "enigmacli tx validator set PUBKEY 0 --node-id NODE_ID --from alice  # leaves the set",
    ),
)
@click.argument("consensus_key", metavar="PUBKEY", type=CONSENSUS_KEY)
@click.argument("power", metavar="POWER", type=click.IntRange(0, _MAX_POWER))
@click.option(
    "--node-id", type=NODE_ID, required=True, metavar="HEX", help="Registered node of that key."
)
@tx_options
@pass_services
def validator_set(
    services: Services,
    consensus_key: bytes,
    power: int,
    node_id: bytes,
    *,
    dry_run: bool,
    generate_only: bool,
) -> None:
    """Vote for the POWER of the validator key PUBKEY (base64 or hex); 0 removes it.

    The change happens when operators with more than 2/3 of the power agree. Where the power is
    POWER already nothing is sent.
    """
    from enigmacli.chain.messages import SetValidator  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.network import connect  # noqa: PLC0415

    account = acting_account(services)
    chain = connect(services)
    if not (dry_run or generate_only) and _has_power(chain, consensus_key, power):
        document = {"sent": False, "pubkey": consensus_key.hex(), "power": power}
        emit(services, document, f"the power is {power} already; nothing was sent")
        return
    message = SetValidator(account.account, consensus_key, power, node_id)
    _send(
        services, chain, message, account, f"vote for power {power} of {consensus_key.hex()}",
        spends=None, dry_run=dry_run, generate_only=generate_only,
    )  # fmt: skip


def _has_power(chain: "Queries | VerifiedQueries", consensus_key: bytes, power: int) -> bool:
    try:
        return chain.power(consensus_key) == power
    except NotFoundError:  # the node's word only, so the chain is asked by sending
        return False


def _send(
    services: Services,
    chain: "Queries | VerifiedQueries",
    message: "Message",
    account: "AccountKey",
    question: str,
    *,
    spends: "Coin | None",
    dry_run: bool,
    generate_only: bool,
) -> None:
    tx = sending.prepare(services, chain, message, account, spends=spends)
    if dry_run or generate_only:
        sending.preview(services, tx, generate_only=generate_only, facts={})
        return
    say(services, f"from {account.address}")
    receipt = sending.submit(services, chain, tx, account, question=question)
    document = {"sent": True, "from": account.address, "fee": str(tx.fee)}
    document |= sending.receipt_document(receipt)
    emit(services, document, sending.receipt_text(receipt))
