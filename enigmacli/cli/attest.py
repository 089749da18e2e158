"""``attest``: fetch evidence for this node's key; read and verify anybody's."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from enigmacli.cli import attest_expiry, attest_fetch, inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.evidence_text import parsed_text, verdict_text
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import group
from enigmacli.cli.output import emit
from enigmacli.cli.parameters import INSTANT
from enigmacli.errors import ConfigError

if TYPE_CHECKING:
    from enclave.appraise.policy import Policy
    from enclave.verify.roots import TrustRoots


@group(
    "attest",
    examples=("enigmacli attest fetch --out evidence.der", "enigmacli attest verify evidence.der"),
)
def command() -> None:
    """Evidence: fetch it, read it, verify it, see when it runs out."""


command.add_command(attest_fetch.command)
command.add_command(attest_expiry.command)


# --- parse and verify -------------------------------------------------------------------------

collateral_option = click.option(
    "--collateral",
    metavar="FILE",
    help="Of a raw quote: dcap-qvl's JSON, or Intel's serialisation.",
)
trim_option = click.option(
    "--trim-padding", is_flag=True, help="Cut the zero bytes behind a quote that was padded."
)


@command.command(
    "parse",
    examples=(
        "enigmacli attest parse evidence.der",
        "enigmacli attest parse quote.bin --collateral collateral.json -o json",
    ),
)
@click.argument("file", metavar="FILE")
@collateral_option
@trim_option
@pass_services
def parse(services: Services, file: str, *, collateral: str | None, trim_padding: bool) -> None:
    """What FILE ('-': standard input) says, trusting nothing."""
    from enigmacli.evidence_check import parse_evidence  # noqa: PLC0415 -- not paid by --help

    document = parse_evidence(
        _evidence(file),
        collateral=_evidence(collateral) if collateral else None,
        trim_padding=trim_padding,
    )
    emit(services, document, lambda: parsed_text(document))


@command.command(
    "verify",
    examples=(
        "enigmacli attest verify evidence.der --policy policy.json",
        "enigmacli attest verify quote.bin --collateral collateral.json --at 2026-01-31T12:00:00Z",
        "enigmacli attest verify - --trust-root root.pem -o json < evidence.der",
    ),
)
@click.argument("file", metavar="FILE")
@collateral_option
@click.option(
    "--at", "at_us", type=INSTANT, metavar="RFC3339", help="Time of judgement [default: now]."
)
@click.option(
    "--chain-at",
    "chain_at_us",
    type=INSTANT,
    metavar="RFC3339",
    help="When an IAS report's certificate must be valid [default: the report's time].",
)
@click.option(
    "--policy",
    "policy_file",
    metavar="FILE",
    help="Judge by all rules of this policy, or of a genesis document's [default: production].",
)
@click.option(
    "--trust-root", metavar="intel|FILE", help="Whom to believe [default: whom the policy names]."
)
@trim_option
@click.pass_context
@pass_services
def verify(
    services: Services,
    ctx: click.Context,
    file: str,
    *,
    collateral: str | None,
    at_us: int | None,
    chain_at_us: int | None,
    policy_file: str | None,
    trust_root: str | None,
    trim_padding: bool,
) -> None:
    """Is FILE ('-': standard input) authentic, and acceptable?

    Exit code 0: accepted; 6: authentic, but refused; 5: malformed or not authentic. The
    verdict goes to standard output in all three cases.
    """
    from enigmacli.evidence_check import verify_evidence  # noqa: PLC0415 -- not paid by --help

    verdict = verify_evidence(
        _evidence(file),
        at_us=services.now_us() if at_us is None else at_us,
        chain_at_us=chain_at_us,
        collateral=_evidence(collateral) if collateral else None,
        policy=_policy(policy_file) if policy_file else None,
        roots=_roots(trust_root) if trust_root else None,
        trim_padding=trim_padding,
    )
    document = verdict.document
    click.echo(as_json(document) if services.json else printable(verdict_text(document)))
    ctx.exit(verdict.exit_code)


def _evidence(name: str) -> bytes:
    """A file, or standard input for ``-``, up to one byte more than any judge reads.

    Raises:
        StorageError: it cannot be read.
    """
    from enigmacli.home import storage_error  # noqa: PLC0415 -- not paid by --help

    if name == inputs.STDIN:
        return sys.stdin.buffer.read(inputs.MAX_EVIDENCE_BYTES + 1)
    path = Path(name)
    try:
        with path.open("rb") as file:
            return file.read(inputs.MAX_EVIDENCE_BYTES + 1)
    except OSError as error:
        raise storage_error("read", path, error) from error


def _policy(file: str) -> "Policy":
    """The policy to judge by.

    Raises:
        ConfigError: it is malformed; not the code of malformed evidence, which has a verdict.
    """
    from enclave.appraise.policy import Policy  # noqa: PLC0415 -- not paid by --help
    from enclave.errors import PolicyFormatError  # noqa: PLC0415

    data = inputs.read_input(file)
    if b'"app_state"' in data:
        return _policy_of_genesis(data)
    try:
        return Policy.parse_any_layout(data)
    except PolicyFormatError as error:
        raise ConfigError(f"the policy in {file} is malformed: {error}") from error


def _policy_of_genesis(data: bytes) -> "Policy":
    from enigmacli.app.genesis import GenesisDocument  # noqa: PLC0415 -- not paid by --help

    policy = GenesisDocument.parse(data).app_state.policy
    if policy is None:
        raise ConfigError("the genesis document has no policy", hint="genesis set-policy FILE")
    return policy


def _roots(named: str) -> "TrustRoots":
    """Whom to believe.

    Raises:
        ConfigError: the file holds no root certificate.
    """
    from enclave.errors import PolicyFormatError  # noqa: PLC0415 -- not paid by --help
    from enclave.verify.roots import INTEL, TrustRoots  # noqa: PLC0415
    from enigmacli.evidence_check import load_trust_root  # noqa: PLC0415

    if named == INTEL:
        return TrustRoots.of_intel()
    try:
        return load_trust_root(inputs.read_input(named))
    except PolicyFormatError as error:
        raise ConfigError(f"the trust root in {named} is malformed: {error}") from error
