"""``enigmacli init``: make a home."""

import base64
from typing import Any, Final

import click

from enigmacli import genesis_source, simulated_policy, trusted_package
from enigmacli.app.genesis import genesis_hash, new_genesis
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, table
from enigmacli.cli.peer import prepared
from enigmacli.config import KEYS, Origin
from enigmacli.errors import GenesisError
from enigmacli.genesis_source import FoundGenesis
from enigmacli.home import Home
from enigmacli.initialise import MadeHome, check_free, initialise

DEFAULT_CHAIN_ID: Final = "enigma-simulation"
"""Of a simulated network that nobody named."""


@declare(
    "init",
    examples=(
        "enigmacli init alpha --genesis https://example.org/genesis.json --genesis-hash HEX",
        "enigmacli init alpha --simulated --chain-id net-1",
        "enigmacli init alpha --simulated --pccs-root http://127.0.0.1:8081  # with DCAP",
        "enigmacli init alpha --chain-id net-1  # a policy comes later: genesis set-policy",
    ),
)
@click.argument("moniker")
@click.option("--chain-id", metavar="ID", help="Start a genesis document for a new network.")
@click.option("--simulated", is_flag=True, help="New network with a simulated policy.")
@click.option(
    "--ias-root", "ias_roots", metavar="FILE|URL", multiple=True,
    help="Root of a simulated IAS: accept EPID [default: asked of attestation.ias_url].",
)  # fmt: skip
@click.option(
    "--pccs-root", "pccs_roots", metavar="FILE|URL", multiple=True,
    help="Root of a simulated PCCS: accept DCAP, and EPID only with --ias-root as well.",
)  # fmt: skip
@click.option("--genesis", "source", metavar="FILE|URL", help="Join the network of this genesis.")
@click.option("--genesis-hash", "sha256", metavar="HEX", help="SHA-256 of that document.")
@pass_services
def command(
    services: Services,
    moniker: str,
    *,
    chain_id: str | None,
    simulated: bool,
    ias_roots: tuple[str, ...],
    pccs_roots: tuple[str, ...],
    source: str | None,
    sha256: str | None,
) -> None:
    """Create a home: configuration, node keys and, if asked, a genesis document.

    A new network is begun with --simulated, or with --chain-id and then genesis set-policy; an
    existing one is joined with --genesis and --genesis-hash.

    Nothing is ever overwritten; an interrupted init is completed by running it again.
    """
    KEYS["node.moniker"].read(moniker, Origin("flag"))
    with_genesis = simulated or source is not None or chain_id is not None
    check_free(Home(services.home_path), with_genesis=with_genesis)
    genesis: FoundGenesis | None
    if source is not None:
        _refuse(
            "--genesis joins a network",
            simulated=simulated,
            ias_root=bool(ias_roots),
            pccs_root=bool(pccs_roots),
        )
        genesis = _existing(source, sha256, chain_id)
    else:
        _refuse("without --genesis", genesis_hash=sha256 is not None)
        if not simulated:
            _refuse(
                "only --simulated takes roots",
                ias_root=bool(ias_roots),
                pccs_root=bool(pccs_roots),
            )
        genesis = _new(services, chain_id, ias_roots, pccs_roots, simulated=simulated)
    if genesis is not None:
        services.warn_if_simulated(genesis.document.app_state.policy)
    home = Home(services.home_path)
    configured = prepared.settings(home) | {"node.moniker": moniker}
    made = initialise(services.home_path, genesis, configured)
    prepared.drop(home)
    emit(services, _document(made, genesis), lambda: _text(services, made, genesis))


def _refuse(why: str, **given: bool) -> None:
    for name, is_given in given.items():
        if is_given:
            raise click.UsageError(f"--{name.replace('_', '-')} makes no sense: {why}")


def _existing(source: str, sha256: str | None, chain_id: str | None) -> FoundGenesis:
    found = genesis_source.find(source, sha256)
    if chain_id is not None and chain_id != found.document.chain_id:
        raise GenesisError(
            f"the genesis document is of chain {found.document.chain_id}, not {chain_id}",
            details={"expected": chain_id, "seen": found.document.chain_id},
        )
    return found


def _new(
    services: Services,
    chain_id: str | None,
    ias_roots: tuple[str, ...],
    pccs_roots: tuple[str, ...],
    *,
    simulated: bool,
) -> FoundGenesis | None:
    if not simulated and chain_id is None:
        return None
    document = new_genesis(chain_id or DEFAULT_CHAIN_ID, services.now_us())
    if simulated:
        named = ias_roots or (() if pccs_roots else (services.config.attestation.ias_url,))
        roots = [_root(one, dcap=False) for one in named]
        roots += [_root(one, dcap=True) for one in pccs_roots]
        measured = trusted_package.measure_package(services.package)
        document = document.with_policy(simulated_policy.simulated_policy(measured, roots))
    data = document.encode()
    return FoundGenesis(data, document, genesis_hash(data))


def _root(source: str, *, dcap: bool) -> str:
    root = simulated_policy.find_root(source)
    simulated_policy.check_anchor(root, source, dcap=dcap)
    return root


def _document(made: MadeHome, genesis: FoundGenesis | None) -> dict[str, Any]:
    return {
        "home": str(made.home.path),
        "created": [str(path) for path in made.created],
        "kept": [str(path) for path in made.kept],
        "peer_id": made.node_key.address.hex(),
        "validator_pubkey": base64.b64encode(made.validator_key.public_key).decode(),
        "validator_address": made.validator_key.address.hex().upper(),
        "chain_id": genesis.document.chain_id if genesis else None,
        "genesis_hash": genesis.sha256 if genesis else None,
    }


def _text(services: Services, made: MadeHome, genesis: FoundGenesis | None) -> str:
    shown = _document(made, genesis)
    rows = [
        ("home", shown["home"]),
        *((("created", path)) for path in shown["created"]),
        *((("kept", path)) for path in shown["kept"]),
        ("peer id", shown["peer_id"]),
        ("validator key", shown["validator_pubkey"]),
        ("chain id", shown["chain_id"] or "none yet: there is no genesis document"),
        ("genesis hash", shown["genesis_hash"] or "none yet"),
        ("next", f"{services.program} {_next(genesis)}"),
    ]
    return table(rows)


def _next(genesis: FoundGenesis | None) -> str:
    if genesis is None:
        return "init NAME --genesis FILE|URL --genesis-hash HEX"
    if genesis.document.app_state.policy is None:
        return "genesis set-policy FILE"
    if genesis.document.app_state.keys is None:
        return "keys add NAME, then bootstrap"
    return "join"
