"""``start``: run the node until it is told to stop."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import click

from enigmacli.cli import bootstrap, seed
from enigmacli.cli.attestation_service import service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.interruption import orderly_interruption
from enigmacli.cli.options import account_options, chain_options, config_option
from enigmacli.cli.options import command as declare
from enigmacli.cli.peer.start_options import peer_start_options

if TYPE_CHECKING:
    from enigmacli.engine.settings import NodeSettings

ENGINES: Final = ("embedded", "cometbft")
ABCI_SOCKET: Final = "abci.sock"


@declare(
    "start",
    examples=(
        "enigmacli start  # the embedded engine: makes blocks alone",
        "enigmacli start --follow http://127.0.0.1:26657 --wait-for-seed",
        "enigmacli start --engine cometbft --persistent-peers ID@HOST:26656",
    ),
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="embedded",
    show_default=True,
    help="What orders transactions.",
)
@config_option("--follow", key="node.follow", metavar="URL", help="Follow this node's chain.")
@click.option(
    "--wait-for-seed",
    is_flag=True,
    help="Wait for the network's answer, and unseal it, before syncing.",
)
@click.option(
    "--bootstrap",
    "bootstrap_first",
    is_flag=True,
    help="Bootstrap first: this home is the network's first node.",
)
@config_option("--rpc-listen", key="rpc.listen", metavar="HOST:PORT", help="JSON-RPC server.")
@config_option(
    "--p2p-listen", key="p2p.listen", metavar="HOST:PORT", help="Other nodes; CometBFT only."
)
@config_option(
    "--external-address",
    key="p2p.external_address",
    metavar="HOST:PORT",
    help="Where other nodes reach this one; CometBFT only.",
)
@config_option(
    "--persistent-peers",
    key="p2p.persistent_peers",
    metavar="ID@HOST:PORT,…",
    help="Nodes to stay connected with; CometBFT only.",
)
@config_option(
    "--seeds",
    key="p2p.seeds",
    metavar="ID@HOST:PORT,…",
    help="Nodes that know the addresses of others; CometBFT only.",
)
@config_option("--cometbft", key="cometbft.path", metavar="FILE", help="CometBFT's binary.")
@config_option(
    "--comet-external",
    key="cometbft.external",
    is_flag=True,
    flag_value="true",
    help="Run no CometBFT: serve the application to one that you run.",
)
@config_option(
    "--abci-listen",
    key="cometbft.abci_listen",
    metavar="ADDRESS",
    help="Where that CometBFT finds the application: unix:///PATH or tcp://HOST:PORT.",
)
@config_option(
    "--block-interval",
    key="node.block_interval_s",
    metavar="SECONDS",
    help="Shortest time between two blocks.",
)
@config_option(
    "--empty-blocks-interval",
    key="node.empty_blocks_interval_s",
    metavar="SECONDS",
    help="Longest time between two blocks.",
)
@click.option(
    "--die-with-parent",
    is_flag=True,
    hidden=True,
    help="Stop when standard input ends, for whoever starts this program.",
)
@peer_start_options
@chain_options
@account_options
@service_options
@pass_services
def command(
    services: Services,
    engine: str,
    *,
    wait_for_seed: bool,
    bootstrap_first: bool,
    die_with_parent: bool,
) -> None:
    """Run the node until SIGINT or SIGTERM.

    It refuses to start while the enclave holds no seed of this network. One line tells each
    event; "listening" names the address that was bound. With -o json each line is a document.
    """
    run = _embedded if engine == "embedded" else _cometbft
    if die_with_parent:
        from enigmacli.lifeline import die_with_parent as watch  # noqa: PLC0415

        watch()
    if engine == "cometbft":
        _check_cometbft(services)
    services.warn_if_simulated(services.policy)
    with ExitStack() as held:
        held.enter_context(services.home.lock())
        if bootstrap_first:
            bootstrap.run(services)
        settings = _settings(services, wait_for_seed=wait_for_seed)
        with orderly_interruption():
            run(services, settings)


def _check_cometbft(services: Services) -> None:
    """Refuse before anything is made what cannot run.

    Raises:
        click.UsageError: a followed node leaves nothing to order.
        ConfigError: there is no CometBFT of the right line.
    """
    from enigmacli.engine.cometbft_process import find_program  # noqa: PLC0415

    if services.config.node.follow:
        raise click.UsageError("--follow is the embedded engine's: it follows CometBFT as well")
    if not services.config.cometbft.external:
        find_program(services.config.cometbft.path)


def _embedded(services: Services, settings: "NodeSettings") -> None:
    from enigmacli.cli.node_events import Printer  # noqa: PLC0415 -- not paid by --help
    from enigmacli.engine.node import run_node  # noqa: PLC0415

    run_node(settings, Printer(services))


def _cometbft(services: Services, settings: "NodeSettings") -> None:
    from enigmacli.cli.node_events import Printer  # noqa: PLC0415 -- not paid by --help
    from enigmacli.engine.cometbft import run_cometbft_node, serve_external_cometbft  # noqa: PLC0415
    from enigmacli.engine.cometbft_home import CometbftSettings  # noqa: PLC0415

    config, printer = services.config, Printer(services)
    if config.cometbft.external:
        serve_external_cometbft(settings, _abci_address(services), printer)
        return
    own = CometbftSettings(
        services.home.cometbft_dir,
        config.cometbft.path,
        config.p2p,
        config.cometbft.log_level,
        config.cometbft.timeout_propose_s,
    )
    run_cometbft_node(settings, own, printer)


def _abci_address(services: Services) -> str:
    """Where an external CometBFT finds the application; one open to others is warned of."""
    from enigmacli.abci.listening import is_open_to_others  # noqa: PLC0415 -- not paid by --help

    address = services.config.cometbft.abci_listen
    if not address:
        return f"unix://{services.home.data_dir / ABCI_SOCKET}"
    if is_open_to_others(address):
        services.warn(f"whoever reaches {address} rules this node's state: ABCI asks nobody's name")
    return address


def _settings(services: Services, *, wait_for_seed: bool) -> "NodeSettings":
    from enigmacli.engine.settings import NodeSettings  # noqa: PLC0415

    home, config = services.home, services.config
    return NodeSettings(
        genesis_file=home.genesis_file,
        data_dir=home.data_dir,
        enclave_dir=home.enclave_dir,
        priv_validator_key_file=home.priv_validator_key_file,
        node_key_file=home.node_key_file,
        moniker=config.node.moniker,
        rpc_listen=config.rpc.listen,
        block_interval_s=config.node.block_interval_s,
        empty_blocks_interval_s=config.node.empty_blocks_interval_s,
        follow_url=config.node.follow or None,
        wait_for_seed=wait_for_seed,
        unseal=seed.unsealer(services) if wait_for_seed else None,
        enclave_package=services.package,
        enclave_backend=config.enclave.backend,
    )
