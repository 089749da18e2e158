"""``localnet``: a local network of real processes that go on until they are told to end."""

import signal
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import localnet_faucet
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import as_json
from enigmacli.cli.options import Decorator, config_option, group
from enigmacli.cli.output import emit, say, table
from enigmacli.cli.parameters import COIN
from enigmacli.cli.start import ENGINES
from enigmacli.localnet.words import FAUCET, INTEL, MAX_NODES, PARTS

if TYPE_CHECKING:
    from enigmacli.chain.messages import Coin
    from enigmacli.localnet.control import NodeStanding
    from enigmacli.localnet.folder import Network
    from enigmacli.localnet.steps import Teller

_FOLDER: Final = "localnet"
_WARNING: Final = "simulation: keys, evidence and Intel are simulated, nothing here is protected"

folder_option: Final[Decorator] = click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Folder of the network [default: localnet in the home folder].",
)  # fmt: skip


@group(
    "localnet",
    examples=(
        "enigmacli localnet up -n 4 --engine cometbft",
        "enigmacli localnet status",
        "enigmacli localnet down --remove",
    ),
)
def command() -> None:
    """A local network with real processes: simulated, and only for trying and testing."""


command.add_command(localnet_faucet.command)


@command.command(
    "up",
    examples=(
        "enigmacli localnet up",
        "enigmacli localnet up -n 4 --engine cometbft",
        "enigmacli localnet up -n 2 --dir /tmp/net --block-interval 0.2",
    ),
)
@click.option(
    "-n", "--nodes", type=click.IntRange(1, MAX_NODES), metavar="N",
    help="How many nodes [default: as before, else 4].",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(ENGINES),
    help="What orders transactions [default: as before, else embedded].",
)  # fmt: skip
@click.option(
    "--block-interval", type=click.FloatRange(0.05, 60), metavar="SECONDS",
    help="Shortest time between two blocks [default: as before, else 0.5].",
)  # fmt: skip
@click.option("--chain-id", metavar="ID", help="Of a new network [default: enigma-localnet].")
@config_option("--cometbft", key="cometbft.path", metavar="FILE", help="CometBFT's binary.")
@folder_option
@pass_services
def up(
    services: Services,
    *,
    folder: Path | None,
    nodes: int | None,
    engine: str | None,
    block_interval: float | None,
    chain_id: str | None,
) -> None:
    """Make a network and leave it running; what is missing of one is made or started.

    The first node bootstraps. The others register, unseal and sync; with --engine cometbft each
    becomes a validator by votes, with the embedded engine they follow the first.
    """
    from enigmacli.localnet.control import standings  # noqa: PLC0415 -- not paid by --help
    from enigmacli.localnet.folder import Wanted  # noqa: PLC0415
    from enigmacli.localnet.up import up as bring_up  # noqa: PLC0415

    services.warn(_WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the commands below end as well
    program = services.config.cometbft.path
    wanted = Wanted(nodes, engine, chain_id, block_interval, program)
    network = bring_up(_folder(services, folder), wanted, _teller(services))
    _show(services, network, standings(network))


@command.command(
    "status",
    examples=(
        "enigmacli localnet status",
        "enigmacli localnet status -o json",
    ),
)
@folder_option
@pass_services
def status(services: Services, *, folder: Path | None) -> None:
    """Which processes run, and where each node's chain stands; changes nothing."""
    from enigmacli.localnet.control import standings  # noqa: PLC0415 -- not paid by --help

    services.warn(_WARNING)
    network = _load(services, folder)
    _show(services, network, standings(network))


@command.command(
    "logs",
    examples=(
        "enigmacli localnet logs node1 --lines 5",
        "enigmacli localnet logs intel faucet",
    ),
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--lines", type=click.IntRange(1), default=20, show_default=True, metavar="N",
              help="How many of each process, the last ones.")  # fmt: skip
@folder_option
@pass_services
def logs(services: Services, *, names: tuple[str, ...], lines: int, folder: Path | None) -> None:
    """What the processes have said, each event a document; of all, or of those named."""
    network = _load(services, folder)
    said = {
        name: list(deque(network.process(name).events(), lines))
        for name in names or _running_names(network)
        if _is_known(network, name)
    }
    text = "\n".join(
        f"{name}  {as_json(event)}" for name, events in said.items() for event in events
    )
    emit(services, {"logs": said}, text)


@command.command(
    "fund",
    examples=("enigmacli localnet fund enigma1… 1000uscrt",),
)
@click.argument("address", metavar="ADDRESS")
@click.argument("amount", metavar="[AMOUNT]", type=COIN, default="10000000uscrt")
@folder_option
@pass_services
def fund(services: Services, *, address: str, amount: "Coin", folder: Path | None) -> None:
    """Send coins to ADDRESS from the first node's account."""
    from enigmacli.localnet.control import fund as send  # noqa: PLC0415 -- not paid by --help

    network = _load(services, folder)
    receipt = send(network.folder, address, str(amount), _teller(services))
    emit(
        services, receipt | {"amount": str(amount), "to": address},
        f"sent {amount} to {address} at height {receipt['height']}",
    )  # fmt: skip


@command.command(
    "kill",
    examples=(
        "enigmacli localnet kill node2",
        "enigmacli localnet kill node2 --process enclave",
    ),
)
@click.argument("name", metavar="NODE")
@click.option("--process", "part", type=click.Choice(PARTS), default=PARTS[0], show_default=True,
              help="Which one; app is the node itself, and takes the others along.")  # fmt: skip
@folder_option
@pass_services
def kill(services: Services, *, name: str, part: str, folder: Path | None) -> None:
    """Kill -9 a process of NODE, to see what happens; NODE is a name, intel or faucet."""
    from enigmacli.localnet import control  # noqa: PLC0415 -- not paid by --help

    network = _load(services, folder)
    _is_known(network, name)
    pid = control.kill(network, name, part)
    emit(services, {"node": name, "process": part, "pid": pid}, f"killed {part} of {name}, {pid}")


@command.command(
    "restart",
    examples=(
        "enigmacli localnet restart node2",
        "enigmacli localnet restart",
    ),
)
@click.argument("names", metavar="[NODE]...", nargs=-1)
@folder_option
@pass_services
def restart(services: Services, *, names: tuple[str, ...], folder: Path | None) -> None:
    """End and start nodes; without a name start all that do not run."""
    from enigmacli.localnet import control  # noqa: PLC0415 -- not paid by --help

    services.warn(_WARNING)
    network = _load(services, folder)
    for name in names:
        _is_known(network, name)
    network = control.restart(network.folder, names, _teller(services))
    _show(services, network, control.standings(network))


@command.command(
    "down",
    examples=(
        "enigmacli localnet down",
        "enigmacli localnet down --remove",
    ),
)
@click.option("--remove", is_flag=True, help="Remove the network's folder, keys and all.")
@folder_option
@pass_services
def down(services: Services, *, remove: bool, folder: Path | None) -> None:
    """End every process; `up` goes on with what is kept."""
    from enigmacli.localnet import control  # noqa: PLC0415 -- not paid by --help

    ended = control.down(_folder(services, folder), remove=remove)
    document = {"ended": ended, "removed": remove}
    emit(services, document, table([*ended.items()]) or "there is no network")


def _folder(services: Services, named: Path | None) -> Path:
    return (named or services.home_path / _FOLDER).absolute()


def _load(services: Services, named: Path | None) -> "Network":
    from enigmacli.localnet.folder import Network  # noqa: PLC0415 -- not paid by --help

    return Network.load(_folder(services, named))


def _running_names(network: "Network") -> list[str]:
    names = [INTEL, *(one.name for one in network.members), FAUCET]
    return [name for name in names if network.process(name).log.exists()]


def _is_known(network: "Network", name: str) -> bool:
    return name in (INTEL, FAUCET) or bool(network.member(name))


def _teller(services: Services) -> "Teller":
    from enigmacli.localnet.steps import Teller  # noqa: PLC0415 -- not paid by --help

    return Teller(
        step=lambda words: say(services, f"  $ {words}"),
        fact=lambda words: say(services, f"    {words}"),
    )


def _show(services: Services, network: "Network", nodes: "list[NodeStanding]") -> None:
    intel, faucet = (network.process(name).owner() for name in (INTEL, FAUCET))
    document: dict[str, Any] = {
        "simulation": True,
        "folder": str(network.folder),
        "chain_id": network.chain_id,
        "engine": network.engine,
        "intel": {"url": network.intel_url, "pid": intel.pid if intel else None},
        "faucet": {"url": network.faucet_url, "pid": faucet.pid if faucet else None},
        "nodes": [asdict(one) for one in nodes],
    }
    emit(services, document, lambda: _text(document))
    if not services.json:
        say(services, f"to join it: {services.program} join --localnet {network.folder} --home DIR")


def _text(document: Mapping[str, Any]) -> str:
    columns = ("name", "pid", "height", "power", "peers", "rpc", "app_hash")
    rows = [tuple(name.replace("_", " ") for name in columns)]
    rows += [
        tuple("-" if node[name] is None else str(node[name]) for name in columns)
        for node in document["nodes"]
    ]
    intel, faucet, nodes = document["intel"], document["faucet"], table(rows, heading=True)
    return (
        f"{document['chain_id']} on the {document['engine']} engine in {document['folder']}\n"
        f"simulated Intel at {intel['url']}, process {intel['pid'] or '-'}\n"
        f"faucet at {faucet['url']}, process {faucet['pid'] or '-'}\n{nodes}"
    )
