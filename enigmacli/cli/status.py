"""``enigmacli status``: where this home stands, and the node it talks to."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from enclave.errors import EnclaveError
from enigmacli.app.genesis import genesis_hash
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import chain_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, table
from enigmacli.errors import (
    ConfigError,
    EnigmaError,
    HomeMissingError,
    NotFoundError,
    ServiceUnavailableError,
    UntrustedAnswerError,
)

STATES: Final = ("no-home", "initialised", "keyed", "registered", "seeded", "running")
"""How far a home has come, each including the ones before it but for a bootstrap node."""

_NEXT: Final = {
    "no-home": "init MONIKER",
    "initialised": "enclave keygen",
    "keyed": "attest fetch, then tx register auth FILE",
    "registered": "seed unseal",
    "seeded": "start",
}

T = TypeVar("T")


@declare("status")
@click.option(
    "--require", type=click.Choice((*STATES[1:], "node")),
    help="Fail unless the home has come this far, or the node answers.",
)  # fmt: skip
@chain_options
@pass_services
def command(services: Services, *, require: str | None) -> None:
    """Show where this home stands and whether its node answers.

    That this home is registered is proven by a verified header, which is named; that it is not,
    and what the node says of itself, is the node's word. Succeeds whatever the state is, unless
    --require asks for one or the node gives an answer that it cannot prove.
    """
    document = _standing(services)
    emit(services, document, lambda: _text(services, document))
    if require is not None:
        _check(services, document, require)


def _standing(services: Services) -> dict[str, Any]:
    is_home = (services.home_path / "config.toml").exists()
    enclave = _enclave(services) if is_home else None
    node = _node(services) if is_home else None
    is_ours = node is not None and node["same_network"]
    registered, verified = _registered(services, enclave) if is_ours else (None, None)
    pid = services.home.owner_pid() if is_home else None
    return {
        "home": str(services.home_path),
        "state": _state(is_home=is_home, enclave=enclave, registered=registered, pid=pid),
        "pid": pid,
        "genesis": _genesis(services) if is_home else None,
        "enclave": enclave,
        "registered": registered,
        "verified": verified,
        "node": node,
    }


def _state(
    *, is_home: bool, enclave: dict[str, Any] | None, registered: bool | None, pid: int | None
) -> str:
    held = enclave or {}
    reached = {
        "running": pid is not None and bool(held.get("seeds")),
        "seeded": bool(held.get("seeds")),
        "registered": bool(registered),
        "keyed": held.get("node_id") is not None,
        "initialised": is_home,
    }
    return next((state for state, is_reached in reached.items() if is_reached), "no-home")


def _genesis(services: Services) -> dict[str, Any] | None:
    if not services.has_genesis:
        return None
    document = services.genesis
    policy = document.app_state.policy
    services.warn_if_simulated(policy)
    kind = ("simulated" if policy.simulation else "intel") if policy else None
    return {
        "chain_id": document.chain_id,
        "sha256": genesis_hash(services.home.read_genesis()),
        "policy": kind,
        "bootstrapped": document.app_state.keys is not None,
    }


def _enclave(services: Services) -> dict[str, Any]:
    try:
        held = services.enclave().status()
    except EnclaveError as error:
        return {"error": {"code": error.code, "message": str(error)}}
    return {
        "backend": held.backend,
        "measurement": held.measurement.hex(),
        "network_id": held.network_id.hex() or None,
        "node_id": held.node_id.hex() or None,
        "seeds": held.seeds,
    }


def _node(services: Services) -> dict[str, Any] | None:
    """What the node says of itself; its word only."""
    answer = _asked(lambda: services.rpc().status())
    if answer is None:
        return None
    return {
        "url": services.config.chain.node,
        "moniker": answer.moniker,
        "chain_id": answer.network,
        "height": answer.latest_block_height,
        "app_hash": answer.latest_app_hash.hex().upper(),
        "catching_up": answer.catching_up,
        "same_network": not services.has_genesis or services.genesis.chain_id == answer.network,
    }


def _registered(
    services: Services, enclave: dict[str, Any] | None
) -> tuple[bool | None, dict[str, Any] | None]:
    """Whether this home's key is registered, and the header that proves it.

    Returns:
        None where it cannot be said; and None where it is the node's word.

    Raises:
        UntrustedAnswerError: the node gave an answer that it cannot prove.
    """
    from enigmacli.cli.network import proving, verified_document  # noqa: PLC0415

    node_id = (enclave or {}).get("node_id")
    if node_id is None:
        return None, None
    chain = proving(services)
    try:
        registered = _asked(lambda: bool(chain.node(bytes.fromhex(node_id))))
    except NotFoundError:  # nobody can prove that something is absent
        return False, None
    return registered, verified_document(chain)["verified"]


def _asked(ask: Callable[[], T]) -> T | None:
    """The answer, or None: a node that is down or talks nonsense is no failure of ``status``."""
    try:
        return ask()
    except (ConfigError, NotFoundError, UntrustedAnswerError):
        raise
    except EnigmaError:
        return None


def _check(services: Services, document: dict[str, Any], require: str) -> None:
    if require == "node":
        if document["node"] is None:
            raise ServiceUnavailableError(f"no node answers at {services.config.chain.node}")
        return
    state = document["state"]
    if state == "no-home":
        raise HomeMissingError(f"there is no home at {services.home_path}")
    if STATES.index(state) < STATES.index(require):
        raise ConfigError(
            f"the home is {state}, not yet {require}",
            hint=f"{services.program} {_next(document)}",
            details={"expected": require, "seen": state},
        )


def _text(services: Services, document: dict[str, Any]) -> str:
    rows = [("home", document["home"]), ("state", document["state"])]
    if document["pid"]:
        rows.append(("process", str(document["pid"])))
    rows += [(name, text) for name in ("genesis", "enclave") for text in _lines(document[name])]
    told = "node says" if document["node"] else "node"
    rows += [(told, text) for text in _lines(document["node"])]
    if document["registered"] is not None:
        rows.append(("registered", _words(document)))
    if document["state"] in _NEXT:
        rows.append(("next", f"{services.program} {_next(document)}"))
    return table(rows)


def _words(document: dict[str, Any]) -> str:
    verified = document["verified"]
    by = f"proven by header {verified['height']}" if verified else "as the node says"
    return f"{'yes' if document['registered'] else 'no'}, {by}"


def _next(document: dict[str, Any]) -> str:
    failed = (document["enclave"] or {}).get("error")
    return f"explain {failed['code']}" if failed else _NEXT[document["state"]]


def _lines(part: dict[str, Any] | None) -> list[str]:
    if part is None:
        return ["none"]
    if "error" in part:
        return [part["error"]["message"]]
    return [
        f"{name.replace('_', ' ')} {value}" for name, value in part.items() if value is not None
    ]
