"""What every command that sends a transaction does: price it, preview it, ask, send it."""

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from enigmacli.cli.accounts import signer_of
from enigmacli.cli.context import Services
from enigmacli.cli.lines import as_json
from enigmacli.cli.network import SystemClock
from enigmacli.cli.output import emit, working
from enigmacli.submission import Draft, Receipt, Terms, draft, send, sign

if TYPE_CHECKING:
    from enigmacli.chain.gas import GasPrice
    from enigmacli.chain.light_queries import VerifiedQueries
    from enigmacli.chain.messages import Coin, Message
    from enigmacli.chain.queries import Queries
    from enigmacli.keyring import AccountKey

_AUTO = "auto"


def prepare(
    services: Services,
    chain: "Queries | VerifiedQueries",
    message: "Message",
    account: "AccountKey",
    *,
    spends: "Coin | None" = None,
) -> Draft:
    """Price ``message`` by the options of this call, and see that ``account`` can pay it.

    Raises:
        InsufficientFundsError: it cannot.
        MalformedError: a price or fee cannot be read.
    """
    chain_id = services.chain_id
    return draft(message, account.address, chain, chain_id, terms(services), spends=spends)


def terms(services: Services) -> Terms:
    """What the options of this call are ready to pay."""
    from enigmacli.chain.messages import Coin  # noqa: PLC0415 -- not paid by --help

    options = services.config.chain
    return Terms(
        price=_price(services),
        gas_limit=None if options.gas == _AUTO else int(options.gas),
        fee=Coin.parse(options.fees) if options.fees else None,
        gas_adjustment=Fraction(str(options.gas_adjustment)),
    )


def _price(services: Services) -> "GasPrice":
    from enigmacli.chain.gas import GasPrice  # noqa: PLC0415

    named = services.config.chain.gas_prices
    return GasPrice.parse(named) if named else GasPrice(*services.policy.gas_price())


def preview(services: Services, tx: Draft, *, generate_only: bool, facts: dict[str, Any]) -> None:
    """Print what ``--dry-run`` or ``--generate-only`` asks for; nothing is sent."""
    if generate_only:
        unsigned = tx.unsigned()
        emit(services, unsigned, lambda: as_json(unsigned, indent=2))
        return
    document = {"dry_run": True, "gas_limit": tx.gas_limit, "fee": str(tx.fee)} | facts
    lines = [f"nothing was sent; gas {tx.gas_limit}, fee {tx.fee}"]
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()]
    emit(services, document, "\n".join(lines))


def submit(
    services: Services,
    chain: "Queries | VerifiedQueries",
    tx: Draft,
    account: "AccountKey",
    *,
    question: str,
    before_sending: Callable[[bytes], None] | None = None,
) -> Receipt:
    """Ask, sign, send, and wait as ``--broadcast-mode`` says.

    Args:
        services: of this call.
        chain: a node of the network.
        tx: what to send.
        account: that signs.
        question: what is asked before, without its fee.
        before_sending: told the raw transaction.

    Raises:
        NotAskedError: nobody can answer, and ``-y`` was not given.
        TxRejectedError: the chain refused.
        WaitTimeoutError: no block held it in time.
        ServiceUnavailableError: the node did not answer.
    """
    services.confirm(f"{question}, for a fee of {tx.fee}?")
    raw = sign(tx, signer_of(services, account))
    if before_sending is not None:
        before_sending(raw)
    options = services.config.chain
    with working(services, "sending the transaction"):
        return send(
            raw, chain, options.broadcast_mode, SystemClock(), timeout_s=options.wait_timeout_s
        )


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """A receipt as JSON values."""
    return {
        "tx_hash": receipt.tx_hash.hex().upper(),
        "height": receipt.height,
        "gas_used": receipt.gas_used if receipt.height is not None else None,
    }


def receipt_text(receipt: Receipt) -> str:
    """A receipt in one line."""
    name = receipt.tx_hash.hex().upper()
    if receipt.height is None:
        return f"sent, not included yet: transaction {name}"
    return f"included at height {receipt.height}: transaction {name}"
