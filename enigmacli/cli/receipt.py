"""``receipt``: what a join receipt proves, asked of nobody."""

from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import config_option, group
from enigmacli.cli.output import emit, table

if TYPE_CHECKING:
    from enigmacli.receipt.document import Receipt
    from enigmacli.receipt.verification import Genesis, TrustedHeader, Verified

_LIMITS: Final = (
    "not proven: that the node is registered still, that it holds the seed, and that no old "
    "validator key was misused; for the last, name a header that you trust"
)


@group("receipt", examples=("enigmacli receipt verify join-receipt.json --genesis genesis.json",))
def command() -> None:
    """Join receipts: files that prove an admission."""


@command.command(
    "verify",
    examples=(
        "enigmacli receipt verify join-receipt.json",
        "enigmacli receipt verify join-receipt.json --genesis genesis.json -o json",
        "enigmacli receipt verify join-receipt.json --trust-height 7 --trust-hash HEX",
    ),
)
@click.argument("file", metavar="FILE")
@click.option("--genesis", "genesis_file", metavar="FILE",
              help="Genesis document to trust [default: this home's].")  # fmt: skip
@config_option("--trust-height", key="chain.trust_height", metavar="N",
               help="Header of the receipt that you trust.")  # fmt: skip
@config_option("--trust-hash", key="chain.trust_hash", metavar="HEX", help="Hash of that header.")
@pass_services
def verify(services: Services, file: str, genesis_file: str | None) -> None:
    """Check the join receipt in FILE ('-': standard input) without asking anybody.

    It proves that validators to whom the genesis document, or the header that you trust, leads
    decided a block after which the network's state holds the node's record; that the evidence
    stands in the block that wrote it; and, with a genesis document, that the evidence is
    authentic and acceptable at that block's time.

    Exit code 5: malformed or not authentic. 6: the policy refuses the evidence.
    """
    from enigmacli.receipt.document import MAX_BYTES, Receipt  # noqa: PLC0415 -- not by --help
    from enigmacli.receipt.verification import verify as check  # noqa: PLC0415

    receipt = Receipt.parse(inputs.read_input(file, MAX_BYTES))
    trusted = _trusted(services)
    genesis = _genesis(services, genesis_file, is_needed=trusted is None)
    found = check(receipt, genesis, trusted, services.now_us() * 1000)
    if receipt.claims.simulation:
        services.warn("simulation: the evidence in this receipt proves nothing about hardware")
    document = _document(receipt, found, trusted)
    emit(services, document, lambda: _text(document))


def _trusted(services: Services) -> "TrustedHeader | None":
    from enigmacli.errors import ConfigError  # noqa: PLC0415
    from enigmacli.receipt.verification import TrustedHeader  # noqa: PLC0415

    chain = services.config.chain
    if bool(chain.trust_height) != bool(chain.trust_hash):
        raise ConfigError(
            "a header to trust has a height and a hash",
            hint="give --trust-height N and --trust-hash HEX together",
        )
    if not chain.trust_height:
        return None
    return TrustedHeader(chain.trust_height, bytes.fromhex(chain.trust_hash))


def _genesis(services: Services, file: str | None, *, is_needed: bool) -> "Genesis | None":
    from enigmacli.app.app_state import MAX_BYTES  # noqa: PLC0415
    from enigmacli.app.genesis import GenesisDocument, genesis_hash  # noqa: PLC0415
    from enigmacli.receipt.verification import Genesis  # noqa: PLC0415

    if file is not None:
        data = inputs.read_input(file, MAX_BYTES)
    elif services.has_genesis:
        data = services.home.read_genesis()
    elif is_needed:
        from enigmacli.errors import HomeMissingError  # noqa: PLC0415

        raise HomeMissingError(
            "there is nothing to trust: no genesis document in this home, and none was named",
            hint="--genesis FILE, or --trust-height N --trust-hash HEX",
        )
    else:
        return None
    return Genesis(GenesisDocument.parse(data), genesis_hash(data))


def _document(
    receipt: "Receipt", found: "Verified", trusted: "TrustedHeader | None"
) -> dict[str, Any]:
    return {
        "authentic": True,
        "trusted_from": f"header {trusted.height}" if trusted else "genesis",
        "judged": found.judged,
        **receipt.claims.document(),
        "proving_header": {"height": found.proving.height, "hash": found.proving.hash.hex()},
        "headers": [{"height": one.height, "hash": one.hash.hex()} for one in receipt.headers],
        "limits": _LIMITS,
    }


def _text(document: dict[str, Any]) -> str:
    proving = document["proving_header"]
    judged = "accepted by the policy at that time" if document["judged"] else "not judged"
    rows = [
        ("node id", document["node_id"]),
        ("network", f"{document['chain_id']}, {document['network_id']}"),
        ("admitted", f"at height {document['height']}, {document['time']}"),
        ("transaction", document["tx_hash"].upper()),
        ("evidence", f"{document['evidence_kind']}, {document['tcb_status']}, {judged}"),
        ("measurement", document["measurement"]),
        ("trusted from", document["trusted_from"]),
        ("proven by", f"header {proving['height']}, {proving['hash'].upper()}"),
    ]
    return f"{table(rows)}\n{document['limits']}"
