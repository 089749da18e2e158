"""``ias``: a simulated Intel Attestation Service, or a proxy that keeps the API key."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import inputs, serving
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import config_option, group

if TYPE_CHECKING:
    from enigmacli.simulated_intel.behaviour import Behaviour

_WARNING: Final = "simulation: this service is not Intel's, its reports prove nothing"

listen_option = config_option(
    "--listen", key="ias.listen", metavar="HOST:PORT", help="Address; port 0 takes a free one."
)


@group(
    "ias",
    examples=(
        "enigmacli ias serve --listen 127.0.0.1:8090",
        "enigmacli ias proxy --upstream https://ias.example.org --api-key-file key",
    ),
)
def command() -> None:
    """A simulated Intel Attestation Service, or a proxy to the real one."""


@command.command(
    "serve",
    examples=(
        "enigmacli ias serve",
        "enigmacli ias serve --status GROUP_OUT_OF_DATE --advisory INTEL-SA-00334",
        "enigmacli ias serve --listen 127.0.0.1:0 --state intel",
    ),
)
@listen_option
@click.option(
    "--state",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Keeps the service's keys and platforms [default: <home>/ias].",
)
@click.option("--status", metavar="STATUS", default="OK", help="Quote status of every report.")
@click.option(
    "--advisory",
    "advisories",
    metavar="INTEL-SA-NNNNN",
    multiple=True,
    help="Advisory of every report [default: those usual with the status].",
)
@serving.latency_option
@serving.fault_option
@serving.client_key_option
@serving.lifeline_option
@pass_services
def serve(
    services: Services,
    *,
    folder: Path | None,
    status: str,
    advisories: tuple[str, ...],
    latency_ms: int,
    faults: tuple[str, ...],
    client_key_file: str | None,
    die_with_parent: bool,
) -> None:
    """Serve a simulated attestation service until SIGINT or SIGTERM.

    It signs with a root of its own, made on the first start, which the policy of a simulated
    network names; it knows the platforms that were provisioned and no others.
    """
    from enigmacli.simulated_intel.service import IasSettings, run_ias  # noqa: PLC0415

    behaviour = _behaviour(status, advisories, latency_ms, faults)
    host, port = address_of(services)
    settings = IasSettings(
        folder=serving.state_folder(services, folder, "ias"),
        host=host,
        port=port,
        api_keys=serving.client_keys(client_key_file),
        behaviour=behaviour,
    )
    services.warn(_WARNING)
    serving.serve(services, lambda report: run_ias(settings, report), lifeline=die_with_parent)


@command.command(
    "proxy", examples=("enigmacli ias proxy --upstream https://ias.example.org --api-key-file key",)
)
@listen_option
@click.option("--upstream", metavar="URL", required=True, help="The attestation service.")
@click.option(
    "--api-key-file",
    metavar="FILE",
    required=True,
    help="File with the service's API key ('-': standard input).",
)
@click.option(
    "--client-key-file",
    metavar="FILE",
    help="Ask clients for one of the keys in this file, one a line.",
)
@click.option(
    "--allow-client",
    "client_networks",
    metavar="NETWORK",
    multiple=True,
    help="Serve this address or network, besides this machine [default: with client keys any].",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    metavar="N",
    help="Of all clients together.",
)
@serving.lifeline_option
@pass_services
def proxy(
    services: Services,
    *,
    upstream: str,
    api_key_file: str,
    client_key_file: str | None,
    client_networks: tuple[str, ...],
    requests_per_minute: int,
    die_with_parent: bool,
) -> None:
    """Forward to an attestation service until SIGINT or SIGTERM, and add its API key.

    The key stays on this machine; clients use this proxy's address in place of the service's.
    Without client keys and networks only this machine is served. For other machines let
    something in front of the proxy speak TLS, and ask for client keys.
    """
    from enigmacli.simulated_intel.proxy import ProxySettings, run_proxy  # noqa: PLC0415

    host, port = address_of(services)
    settings = ProxySettings(
        upstream=upstream,
        api_key=inputs.read_secret_line(api_key_file),
        host=host,
        port=port,
        client_keys=serving.client_keys(client_key_file),
        client_networks=client_networks,
        requests_per_minute=requests_per_minute,
    )
    serving.serve(services, lambda report: run_proxy(settings, report), lifeline=die_with_parent)


def _behaviour(
    status: str, advisories: tuple[str, ...], latency_ms: int, faults: tuple[str, ...]
) -> "Behaviour":
    from enigmacli.errors import ConfigError  # noqa: PLC0415
    from enigmacli.simulated_intel.behaviour import Behaviour  # noqa: PLC0415

    settings: dict[str, Any] = {
        "quote_status": status,
        "advisory_ids": list(advisories) or None,
        "latency_ms": latency_ms,
        "next": list(faults),
    }
    try:
        return Behaviour().changed(settings)
    except ConfigError as error:
        raise click.UsageError(error.message) from error


def address_of(services: Services) -> tuple[str, int]:
    """Host and port of ``ias.listen``."""
    return serving.split_address(services.config.ias.listen)
