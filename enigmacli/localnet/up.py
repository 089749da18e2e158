"""``localnet up``: from nothing, or from whatever an earlier ``up`` left, to a running network."""

from functools import partial
from pathlib import Path
from typing import Final

from enigmacli import home as homes
from enigmacli.app.genesis import GenesisDocument
from enigmacli.child import family_lock
from enigmacli.localnet.folder import Member, Network, Wanted
from enigmacli.localnet.homes import account, configure, configure_guest, is_made
from enigmacli.localnet.joining import fund, join, make_home, start, wait_until_synced
from enigmacli.localnet.promotion import promote
from enigmacli.localnet.steps import TEST_KEYS, Steps, Teller
from enigmacli.localnet.words import COMETBFT, FAUCET, INTEL

FUNDS: Final = "1000000000000uscrt"
SUPPLY: Final = "500000000000uscrt"
"""The faucet's."""
LOCK: Final = "lock"


def up(folder: Path, wanted: Wanted, teller: Teller) -> Network:
    """Make the network in ``folder`` complete and running.

    Every node but the first joins by registering, syncs, and on CometBFT becomes a validator by
    votes. What runs is left alone; what is missing is made or started.

    Raises:
        EnigmaError, EnclaveError: the failure of the step that failed; the same call again goes
            on from there.
    """
    homes.make_folder(folder)
    with family_lock(folder / LOCK) as lock:
        network = Network.made(folder, wanted)
        steps = Steps(network, lock, teller)
        start_intel(steps)
        _start_first(steps)
        others = network.members[1:]
        steps.together(lambda one: make_home(steps, one), others)
        *joined, _ = steps.together(lambda do: do(), [
            *(partial(join, steps, one) for one in others), partial(start_faucet, steps)
        ])  # fmt: skip
        node_ids = [one for one in joined if one]
        for one, node_id in zip(others, node_ids, strict=True):
            wait_until_synced(steps, one)
            if network.engine == COMETBFT:
                promote(steps, one, node_id)
    return network


def start_faucet(steps: Steps) -> bytes:
    """Start the faucet, unless it runs; its home and coins are made where they are missing.

    Returns:
        Nothing: it is no node.
    """
    network, home = steps.network, steps.network.faucet_home
    if network.process(FAUCET).owner() is not None:
        return b""
    giver = Member(FAUCET, "", "")
    if not is_made(home):
        genesis = str(network.home(network.first).genesis_file)
        steps.run(giver, "init", FAUCET, "--genesis", genesis)
    configure_guest(network, home)
    fund(steps, giver, SUPPLY)
    steps.start(FAUCET, "localnet", "faucet", "--listen", network.faucet, "--home", str(home.path))
    return b""


def start_intel(steps: Steps) -> None:
    """Start the simulated Intel, unless it runs."""
    network = steps.network
    steps.start(
        INTEL, "ias", "serve", "--listen", network.intel, "--state", str(network.folder / INTEL)
    )


def _start_first(steps: Steps) -> None:
    network, first = steps.network, steps.network.first
    home = network.home(first)
    if not is_made(home):
        steps.run(first, "init", first.name, "--simulated", "--chain-id", network.chain_id,
                  "--ias-root", network.intel_url)  # fmt: skip
    if GenesisDocument.parse(home.read_genesis()).app_state.keys is None:
        steps.run(first, "genesis", "add-account", account(steps, first), FUNDS)
        configure(network, first)
        steps.run(first, "bootstrap", *TEST_KEYS)
    start(steps, first)
