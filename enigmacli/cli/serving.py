"""What the commands that serve have in common: where, from which folder, and what they print."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services
from enigmacli.cli.interruption import orderly_interruption
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.output import show_warnings

if TYPE_CHECKING:
    from enigmacli.simulated_intel.events import ServiceEvent

lifeline_option = click.option(
    "--die-with-parent", is_flag=True, hidden=True,
    help="Stop when standard input ends, for whoever starts this program.",
)  # fmt: skip
latency_option = click.option(
    "--latency-ms", type=int, default=0, metavar="N", help="Pause before every answer."
)
fault_option = click.option(
    "--fault",
    "faults",
    metavar="KIND[,times=N]",
    multiple=True,
    help="Let the next requests fail, for example 503,times=2.",
)
client_key_option = click.option(
    "--client-key-file",
    metavar="FILE",
    help="Ask clients for one of the keys in this file, one a line.",
)


def serve(
    services: Services,
    run: Callable[[Callable[["ServiceEvent"], None]], None],
    *,
    lifeline: bool,
) -> None:
    """Run a service until it is told to stop, and print what happens.

    Args:
        services: of this call.
        run: serves; is given what to tell of every event.
        lifeline: stop when standard input ends, too.
    """
    if lifeline:
        from enigmacli.lifeline import die_with_parent  # noqa: PLC0415

        die_with_parent()
    with orderly_interruption():
        run(lambda event: _print(services, event))


def state_folder(services: Services, folder: Path | None, name: str) -> Path:
    """The folder of a simulated service.

    Args:
        services: of this call.
        folder: as given on the command line.
        name: of the folder inside the home that is taken otherwise.
    """
    from enigmacli.home import make_folder  # noqa: PLC0415

    if folder is not None:
        return folder.expanduser().absolute()
    make_folder(services.home_path)
    return services.home_path / name


def client_keys(file: str | None) -> tuple[str, ...]:
    """The keys in a file, one a line, of which clients must present one; no file, no keys.

    Raises:
        ConfigError: a key is malformed, or there is none.
        StorageError: the file cannot be read, or is no text.
    """
    from enigmacli.attestation.ias import check_api_key  # noqa: PLC0415

    if file is None:
        return ()
    lines = [line for line in inputs.read_secret_lines(file) if line]
    return tuple(map(check_api_key, lines or [""]))


def split_address(listen: str) -> tuple[str, int]:
    """Host and port of an address, whose form the configuration has checked."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


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
