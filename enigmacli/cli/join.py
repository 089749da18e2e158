"""``join``: from an empty home to a node that may sync, in one command that can be run again."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.attestation_service import service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options, chain_options, config_option, yes_option
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit

if TYPE_CHECKING:
    from enigmacli.cli.join_run import Joined

_EXAMPLES: Final = (
    "enigmacli join --localnet localnet --home newcomer",
    "enigmacli join --genesis genesis.json --node http://127.0.0.1:26657 --dry-run",
    "enigmacli join --genesis https://example.com/genesis.json --genesis-hash HEX --start",
)


@declare("join", examples=_EXAMPLES)
@click.option("--genesis", "source", metavar="FILE|URL", help="Make the home for this network.")
@click.option("--genesis-hash", "sha256", metavar="HEX", help="SHA-256 of that document.")
@click.option("--moniker", metavar="NAME", help="Name of the node, where a home is made.")
@click.option(
    "--localnet", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Join this local network: its genesis, node, services and faucet.",
)  # fmt: skip
@config_option(
    "--faucet", key="chain.faucet", metavar="URL", help="Ask this faucet; simulated networks only."
)
@click.option(
    "--mnemonic-file", metavar="FILE",
    help="Where the words of a new account go [default: <home>/NAME.words].",
)  # fmt: skip
@config_option(
    "--wait", key="chain.wait_timeout_s", metavar="SECONDS",
    help="Longest wait for coins, and for inclusion.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Stop before the fee, and say what it would be.")
@click.option("--start", is_flag=True, help="Go on as the running node.")
@config_option("--rpc-listen", key="rpc.listen", metavar="HOST:PORT",
               help="JSON-RPC server of the running node.")  # fmt: skip
@chain_options
@account_options
@service_options
@config_option("--gas-prices", key="chain.gas_prices", metavar="COIN", help="Price of one gas.")
@config_option("--fees", key="chain.fees", metavar="COIN", help="Fee in place of a price.")
@yes_option
@click.pass_context
@pass_services
def command(
    services: Services,
    ctx: click.Context,
    *,
    source: str | None,
    sha256: str | None,
    moniker: str | None,
    localnet: Path | None,
    mnemonic_file: str | None,
    dry_run: bool,
    start: bool,
) -> None:
    """Join a network: make what is missing, register for one fee, unseal the seed.

    Everything that can refuse without a fee comes first. Run again after any interruption it
    goes on where it stopped: one registration, one fee. At the end join-receipt.json in the
    home proves the admission to anybody (receipt verify).

    --dry-run makes home, keys and evidence, which cost nothing, asks no faucet, and sends nothing.
    """
    from enigmacli.cli import join_home, join_run  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.joining import Told  # noqa: PLC0415

    if dry_run and start:
        raise click.UsageError("--start makes no sense with --dry-run")
    told = Told(services)
    join_home.prepare(
        services, told, source=source, sha256=sha256, moniker=moniker, localnet=localnet
    )
    services.forget_config()
    with services.home.lock():
        if dry_run:
            join_run.rehearse(services, told, mnemonic_file)
            return
        joined = join_run.run(services, told, mnemonic_file)
    _tell(services, joined, start=start)
    if start:
        _start(services, ctx)


def _tell(services: Services, joined: "Joined", *, start: bool) -> None:
    document: dict[str, Any] = {"event": "joined"} if start else {}
    emit(services, document | joined.document(), lambda: joined.text(services, start=start))


def _start(services: Services, ctx: click.Context) -> None:
    from enigmacli.cli.start import command as run_node  # noqa: PLC0415

    if not services.config.node.follow:
        services.override("node.follow", services.config.chain.node)
        services.forget_config()
    ctx.invoke(run_node, engine="embedded")
