"""``localnet faucet``: give coins of a simulated network to whoever asks."""

from typing import TYPE_CHECKING

import click

from enigmacli.cli import serving
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options, chain_options
from enigmacli.cli.options import command as declare

if TYPE_CHECKING:
    from enigmacli.localnet.faucet import Faucet

_WARNING = "simulation: whoever reaches this faucet gets coins, which are worth nothing"


@declare(
    "faucet",
    examples=(
        "enigmacli localnet faucet --home localnet/faucet",
        "enigmacli localnet faucet --listen 127.0.0.1:0 --from giver",
    ),
)
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:0", show_default=True,
    help="Address on this machine; port 0 takes a free one.",
)  # fmt: skip
@serving.lifeline_option
@chain_options
@account_options
@pass_services
def command(services: Services, listen: str, *, die_with_parent: bool) -> None:
    """Serve coins of this home's account until SIGINT or SIGTERM; `up` runs one by itself.

    Each address gets a gift when it holds less than a tenth of it. Only simulated networks
    have faucets.
    """
    from enigmacli.localnet.faucet import check_simulated, run_faucet  # noqa: PLC0415

    check_simulated(services.genesis)
    host, port = _address(listen)
    faucet = _faucet(services)
    services.warn(_WARNING)
    serving.serve(
        services, lambda report: run_faucet(faucet, host, port, report), lifeline=die_with_parent
    )


def _address(listen: str) -> tuple[str, int]:
    from enigmacli import config_rules  # noqa: PLC0415 -- not paid by --help
    from enigmacli.attestation.address import is_loopback  # noqa: PLC0415

    wrong = config_rules.listen(listen)
    if wrong:
        raise click.BadParameter(f"must be {wrong}", param_hint="--listen")
    host, port = serving.split_address(listen)
    if not is_loopback(host):
        raise click.BadParameter("a faucet listens on this machine only", param_hint="--listen")
    return host, port


def _faucet(services: Services) -> "Faucet":
    from enigmacli.chain.gas import GasPrice  # noqa: PLC0415
    from enigmacli.chain.messages import Coin  # noqa: PLC0415
    from enigmacli.cli.accounts import acting_account, signer_of  # noqa: PLC0415
    from enigmacli.cli.network import SystemClock  # noqa: PLC0415
    from enigmacli.localnet.faucet import AMOUNT, Account, Faucet  # noqa: PLC0415
    from enigmacli.submission import Terms  # noqa: PLC0415

    price = GasPrice(*services.policy.gas_price())
    gift = Coin(price.denom, AMOUNT)
    account = Account(
        signer=signer_of(services, acting_account(services)),
        chain=services.queries(),
        chain_id=services.chain_id,
        terms=Terms(price),
        gift=gift,
        clock=SystemClock(),
    )
    return Faucet(account, gift, services.chain_id, services.prefix)
