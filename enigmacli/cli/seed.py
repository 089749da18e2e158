"""``seed``: wait for the network's seed, unseal it, see what is held."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from enigmacli.cli import registration_note
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import chain_options, config_option, group
from enigmacli.cli.output import emit, working

if TYPE_CHECKING:
    from enigmacli.app.app_state import NetworkKeys


@group(
    "seed",
    examples=(
        "enigmacli seed wait --timeout 300 && enigmacli seed unseal",
        "enigmacli seed status",
    ),
)
def command() -> None:
    """The network's seed: wait for it, unseal it, see what is held."""


@command.command(
    "wait",
    examples=(
        "enigmacli seed wait --timeout 300",
        "enigmacli seed wait --node http://127.0.0.1:26657 && enigmacli seed unseal",
    ),
)
@config_option(
    "--timeout", key="chain.wait_timeout_s", metavar="SECONDS", help="Longest wait in all."
)
@chain_options
@pass_services
def wait(services: Services) -> None:
    """Wait until the network has encrypted its seed to this node."""
    from enigmacli.cli.network import (  # noqa: PLC0415 -- not paid by --help
        SystemClock,
        connect,
        refusal_of,
        verified_document,
    )
    from enigmacli.registration import wait_for_seed  # noqa: PLC0415

    node_id = own_node_id(services)
    network = connect(services)
    sent = registration_note.read(services.home.path, node_id)
    with working(services, "waiting for the network's answer"):
        encrypted = wait_for_seed(
            network,
            node_id,
            SystemClock(),
            timeout_s=services.config.chain.wait_timeout_s,
            refusal=None if sent is None else lambda: refusal_of(services, sent),
        )
    document = {"node_id": node_id.hex(), "encrypted_seed": f"0x{encrypted.hex()}"}
    emit(
        services,
        document | verified_document(network),
        f"the network has answered: {document['encrypted_seed']}\n"
        f"next: {services.program} seed unseal",
    )


@command.command("unseal", examples=("enigmacli seed unseal",))
@chain_options
@pass_services
def unseal(services: Services) -> None:
    """Fetch the encrypted seed; the enclave opens it, checks it against genesis, and seals it.

    Safe to repeat: a seed that is held already must be the same one.
    """
    from enigmacli import registration  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.network import connect, verified_document  # noqa: PLC0415

    keys = network_keys(services)
    node_id = own_node_id(services)
    network = connect(services)
    with working(services, "unsealing the network's seed"):
        held = registration.unseal(services.enclave(), network, node_id, keys)
    document = {
        "node_id": node_id.hex(),
        "epoch": held.epoch,
        "exchange_pk": held.exchange_pk.hex(),
        "io_pk": held.io_pk.hex(),
    }
    emit(
        services,
        document | verified_document(network),
        f"the enclave holds the network's seed of epoch {held.epoch}\n"
        f"next: {services.program} start --follow URL",
    )


@command.command("status", examples=("enigmacli seed status", "enigmacli seed status -o json"))
@pass_services
def status(services: Services) -> None:
    """What this home's enclave holds; asks no other machine."""
    held = services.enclave().status()
    expected = services.genesis.app_state.keys if services.has_genesis else None
    matches = bool(held.seeds and expected and held.exchange_pk == expected.exchange_pk)
    document: dict[str, Any] = {
        "node_id": held.node_id.hex() or None,
        "chain_id": held.chain_id or None,
        "network_id": held.network_id.hex() or None,
        "seeds": held.seeds,
        "exchange_pk": held.exchange_pk.hex() or None,
        "matches_genesis": matches if held.seeds and expected else None,
    }
    emit(services, document, lambda: _status_text(document))


def _status_text(document: dict[str, Any]) -> str:
    if not document["seeds"]:
        node_id = document["node_id"]
        return f"no seed is held; registration key {node_id or 'not made yet'}"
    agrees = {True: "that of genesis", False: "NOT that of genesis", None: "genesis unknown"}
    return (
        f"seeds held    {document['seeds']}\n"
        f"exchange key  {document['exchange_pk']} ({agrees[document['matches_genesis']]})"
    )


# --- what other commands need of this ---------------------------------------------------------


def own_node_id(services: Services) -> bytes:
    """The registration public key of this home's enclave.

    Raises:
        NoRegistrationKeyError: there is none yet.
    """
    from enclave.errors import NoRegistrationKeyError  # noqa: PLC0415 -- not paid by --help

    node_id = services.enclave().status().node_id
    if not node_id:
        raise NoRegistrationKeyError("this enclave has made no registration key yet")
    return node_id


def network_keys(services: Services) -> "NetworkKeys":
    """The network's keys and bootstrap evidence from this home's genesis document.

    Raises:
        NotBootstrappedError: it has none yet.
    """
    from enigmacli.errors import NotBootstrappedError  # noqa: PLC0415

    keys = services.genesis.app_state.keys
    if keys is None:
        raise NotBootstrappedError(
            "the genesis document has no network keys yet",
            hint="take the genesis document of the bootstrapped network",
        )
    return keys


def unsealer(services: Services) -> Callable[[], bool]:
    """Tries to fetch and install the seed, for a node that waits for it."""
    from enigmacli.cli.network import proving  # noqa: PLC0415 -- not paid by --help
    from enigmacli.registration import try_unseal  # noqa: PLC0415

    chain = proving(services)

    def attempt() -> bool:
        keys = network_keys(services)
        done = try_unseal(services.enclave(), chain, own_node_id(services), keys)
        if done:
            services.enclave().close()  # the node asks one of its own from now on
        return done

    return attempt
