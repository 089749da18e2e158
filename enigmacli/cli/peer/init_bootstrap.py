"""``init-bootstrap``: our ``bootstrap``, and the network's public keys as files."""

from pathlib import Path

import click

from enigmacli.cli import bootstrap
from enigmacli.cli.attestation_service import service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit
from enigmacli.cli.query import IO_KEY_FILE, NODE_KEY_FILE

_FILE = click.Path(path_type=Path, dir_okay=False)


@declare("init-bootstrap", examples=("enigmacli init-bootstrap --from a",))
@click.argument("node_file", metavar="[NODE_KEY_FILE]", type=_FILE, default=NODE_KEY_FILE)
@click.argument("io_file", metavar="[IO_KEY_FILE]", type=_FILE, default=IO_KEY_FILE)
@account_options
@service_options
@pass_services
def command(services: Services, node_file: Path, io_file: Path) -> None:
    """Bootstrap, and write the network's two public keys to files of the current folder.

    Safe to repeat: the seed is made once, and a file that holds another key is never
    overwritten.
    """
    from enigmacli.cli.peer.master_keys import keep_key  # noqa: PLC0415 -- not paid by --help

    with services.home.lock():
        result = bootstrap.run(services)
    keep_key(node_file, result.keys.exchange_pk)
    keep_key(io_file, result.keys.io_pk)
    files = [str(node_file), str(io_file)]
    document = bootstrap.document_of(services, result) | {"files": files}
    text = f"{result.keys.exchange_pk.hex()}\n{result.keys.io_pk.hex()}"
    emit(services, document, text)
