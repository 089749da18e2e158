"""``parse``: the node's key in a file of evidence, as the peer prints it."""

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit


@declare("parse", examples=("enigmacli parse attestation_cert.der | cut -c 3-",))
@click.argument("file", metavar="FILE")
@pass_services
def command(services: Services, file: str) -> None:
    """Print as 0x… the public key that the evidence in FILE ('-': standard input) binds.

    Nothing is verified here; attest parse tells everything that FILE says.
    """
    from enigmacli.evidence_check import parse_evidence  # noqa: PLC0415 -- not paid by --help
    from enigmacli.registration import NODE_ID_SIZE  # noqa: PLC0415

    claims = parse_evidence(inputs.read_input(file))["claims"]
    node_id = claims["report_data"][: 2 * NODE_ID_SIZE]
    emit(services, {"node_id": node_id}, f"0x{node_id}")
