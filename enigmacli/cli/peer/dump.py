"""``dump``: a file in hex."""

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit


@declare("dump", examples=("enigmacli dump attestation_cert.der",))
@click.argument("file", metavar="FILE")
@pass_services
def command(services: Services, file: str) -> None:
    """Print FILE ('-': standard input) in hex, whatever it holds."""
    data = inputs.read_input(file)
    emit(services, {"size_bytes": len(data), "hex": data.hex()}, data.hex())
