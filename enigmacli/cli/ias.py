"""``ias``: a simulated Intel Attestation Service, or a proxy that keeps the API key."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.interruption import orderly_interruption
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import config_option, group
from enigmacli.cli.output import show_warnings

if TYPE_CHECKING:
    from enigmacli.simulated_intel.behaviour import Behaviour
    from enigmacli.simulated_intel.events import ServiceEvent

_WARNING: Final = "simulation: this service is not Intel's, its reports prove nothing"

listen_option = config_option(
    "--listen", key="ias.listen", metavar="HOST:PORT", help="Address; port 0 takes a free one."
)
lifeline_option = click.option(
    "--die-with-parent", is_flag=True, hidden=True,
    help="Stop when standard input ends, for whoever starts this program.",
)  # fmt: skip


@group("ias")
def command() -> None:
    """A simulated Intel Attestation Service, or a proxy to the real one."""


@command.command("serve")
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
@click.option("--latency-ms", type=int, default=0, metavar="N", help="Pause before every answer.")
@click.option(
    "--fault",
    "faults",
    metavar="KIND[,times=N]",
    multiple=True,
    help="Let the next requests fail, for example 503,times=2.",
)
@click.option("--client-key-file", metavar="FILE", help="Ask clients for the API key in this file.")
@lifeline_option
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
        folder=_folder(services, folder),
        host=host,
        port=port,
        api_keys=_client_keys(client_key_file),
        behaviour=behaviour,
    )
    services.warn(_WARNING)
    _serve(services, lambda report: run_ias(settings, report), lifeline=die_with_parent)


@command.command("proxy")
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
    help="Ask clients for the key in this file [default: serve this machine only].",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    metavar="N",
    help="Of all clients together.",
)
@lifeline_option
@pass_services
def proxy(
    services: Services,
    upstream: str,
    api_key_file: str,
    client_key_file: str | None,
    requests_per_minute: int,
    *,
    die_with_parent: bool,
) -> None:
    """Forward to an attestation service until SIGINT or SIGTERM, and add its API key.

    The key stays on this machine; clients use this proxy's address in place of the service's.
    """
    from enigmacli.simulated_intel.proxy import ProxySettings, run_proxy  # noqa: PLC0415

    host, port = address_of(services)
    settings = ProxySettings(
        upstream=upstream,
        api_key=inputs.read_secret_line(api_key_file),
        host=host,
        port=port,
        client_keys=_client_keys(client_key_file),
        requests_per_minute=requests_per_minute,
    )
    _serve(services, lambda report: run_proxy(settings, report), lifeline=die_with_parent)


def _serve(
    services: Services,
    run: Callable[[Callable[["ServiceEvent"], None]], None],
    *,
    lifeline: bool,
) -> None:
    if lifeline:
        from enigmacli.lifeline import die_with_parent  # noqa: PLC0415

        die_with_parent()
    with orderly_interruption():
        run(lambda event: _print(services, event))


def _print(services: Services, event: "ServiceEvent") -> None:
    click.echo(as_json(_document(event)) if services.json else printable(_words(event)))
    show_warnings(services)


def _document(event: "ServiceEvent") -> dict[str, Any]:
    return {"event": type(event).__name__.lower()} | asdict(event)


def _words(event: "ServiceEvent") -> str:
    from enigmacli.simulated_intel.events import Listening  # noqa: PLC0415

    if isinstance(event, Listening):
        return f"listening on {event.url}"
    return f"{event.method} {event.path} {event.status} {event.note}".rstrip()


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


def _folder(services: Services, folder: Path | None) -> Path:
    from enigmacli.home import make_folder  # noqa: PLC0415

    if folder is not None:
        return folder.expanduser().absolute()
    make_folder(services.home_path)
    return services.home_path / "ias"


def _client_keys(file: str | None) -> tuple[str, ...]:
    from enigmacli.attestation.ias import check_api_key  # noqa: PLC0415

    return () if file is None else (check_api_key(inputs.read_secret_line(file)),)


def address_of(services: Services) -> tuple[str, int]:
    """Host and port of ``ias.listen``, whose form the configuration has checked."""
    host, _, port = services.config.ias.listen.rpartition(":")
    return host.strip("[]"), int(port)
