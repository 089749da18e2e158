"""``attest``: fetch evidence for this node's key; read and verify anybody's."""

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import inputs
from enigmacli.cli.attestation_service import PURPOSES, check_provider, fetch, service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import account_options, group
from enigmacli.cli.output import emit, table, working
from enigmacli.cli.parameters import INSTANT
from enigmacli.errors import ConfigError

if TYPE_CHECKING:
    from enclave.appraise.policy import Policy
    from enclave.verify.roots import TrustRoots

CERTIFICATE_FILES: Final = {
    "registration": "attestation_cert.der",
    "bootstrap": "bootstrap_attestation_cert.der",
}
"""Where evidence goes in the home, by its purpose."""


@group("attest")
def command() -> None:
    """Evidence: fetch it, read it, verify it."""


# --- fetch ------------------------------------------------------------------------------------


@command.command("fetch")
@click.option(
    "--purpose",
    type=click.Choice(PURPOSES),
    default="registration",
    show_default=True,
    help="Of which key: this node's, or on the first node the network's.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where it goes [default: <home>/attestation_cert.der].",
)
@service_options
@account_options
@pass_services
def fetch_command(services: Services, purpose: str, out: Path | None) -> None:
    """Fetch evidence: a quote of the enclave, and the attestation service's report about it.

    Safe to repeat: newer evidence takes the place of older. Nothing is judged here.
    """
    from enigmacli import home as homes  # noqa: PLC0415 -- not paid by --help

    check_provider(services)
    owner = _owner(services, purpose)
    _check_has_key(services, purpose)
    provider = services.config.attestation.provider
    with working(services, f"asking the {provider} attestation service"):
        fetched = fetch(services, purpose, owner)
    path = out or services.home.path / CERTIFICATE_FILES[purpose]
    homes.replace(path, fetched.certificate)
    document = {
        "path": str(path),
        "purpose": purpose,
        "provider": provider,
        "evidence_kind": "epid",
        "owner": owner.hex(),
        "sha256": hashlib.sha256(fetched.certificate).hexdigest(),
        "size_bytes": len(fetched.certificate),
    }
    following = f"\nnext: {services.program} tx register auth {path}"
    emit(services, document, f"wrote {path}{following if purpose == 'registration' else ''}")


def _owner(services: Services, purpose: str) -> bytes:
    from enigmacli.cli.accounts import acting_account  # noqa: PLC0415 -- not paid by --help
    from enigmacli.registration import NO_OWNER  # noqa: PLC0415

    if purpose == "bootstrap" or not services.policy.require_owner:
        return NO_OWNER
    return acting_account(services).account


def _check_has_key(services: Services, purpose: str) -> None:
    """Refuse before the service is asked, where there is nothing to attest.

    Raises:
        NoRegistrationKeyError: there is no registration key yet.
        NoSeedError: there is no seed yet, whose keys bootstrap evidence is about.
    """
    from enclave.errors import NoRegistrationKeyError, NoSeedError  # noqa: PLC0415

    held = services.enclave().status()
    if purpose == "registration" and not held.node_id:
        raise NoRegistrationKeyError("this enclave has made no registration key yet")
    if purpose == "bootstrap" and not held.seeds:
        raise NoSeedError("this enclave holds no seed, so there are no network keys to attest")


# --- parse and verify -------------------------------------------------------------------------

trim_option = click.option(
    "--trim-padding", is_flag=True, help="Cut the zero bytes behind a quote that was padded."
)


@command.command("parse")
@click.argument("file", metavar="FILE")
@trim_option
@pass_services
def parse(services: Services, file: str, *, trim_padding: bool) -> None:
    """What FILE ('-': standard input) says, trusting nothing."""
    from enigmacli.evidence_check import parse_evidence  # noqa: PLC0415 -- not paid by --help

    document = parse_evidence(_evidence(file), trim_padding=trim_padding)
    emit(services, document, lambda: _parsed_text(document))


@command.command("verify")
@click.argument("file", metavar="FILE")
@click.option("--collateral", metavar="FILE", help="What a raw quote is verified with.")
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
    click.echo(as_json(document) if services.json else printable(_verdict_text(document)))
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


# --- reports for people -----------------------------------------------------------------------


def _parsed_text(document: dict[str, Any]) -> str:
    head = [("form", str(document["form"])), ("kind", str(document["kind"]))]
    return "not verified\n" + table([*head, *_claim_rows(document["claims"])])


def _verdict_text(document: dict[str, Any]) -> str:
    verdict = "accepted" if document["verdict"] == "accept" else "REFUSED"
    authentic = "authentic" if document["authentic"] else "NOT authentic"
    lines = [f"{verdict} ({authentic}): {document['reason']} [{document['code']}]", ""]
    lines += [_check_line(check) for check in document["checks"]]
    claims = document.get("claims")
    return "\n".join(lines + (["", table(_claim_rows(claims))] if claims else []))


def _check_line(check: dict[str, Any]) -> str:
    if check["ok"]:
        return f"  ok    {check['id']}"
    compared = (f"{word} {check[word]}" for word in ("expected", "seen") if check[word])
    return f"  FAIL  {check['id']}: {', '.join(compared)}".rstrip(": ")


def _claim_rows(claims: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (name.replace("_", " "), " ".join(value) if isinstance(value, list) else str(value))
        for name, value in claims.items()
        if value not in (None, [])
    ]
