"""``attest fetch``: evidence for this node's key, or collateral for a captured quote."""

import hashlib
from pathlib import Path
from typing import Final

import click

from enigmacli.cli import dcap_services, inputs
from enigmacli.cli.attestation_service import (
    DCAP,
    EPID,
    PURPOSES,
    Fetched,
    check_provider,
    fetch,
    kind_of,
    service_options,
)
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, working

EPID_FILES: Final = {
    "registration": "attestation_cert.der",
    "bootstrap": "bootstrap_attestation_cert.der",
}
"""Where EPID evidence goes in the home, by its purpose."""
DCAP_FILES: Final = {
    "registration": "attestation_combined.bin",
    "bootstrap": "bootstrap_attestation_combined.bin",
}
"""Where DCAP evidence goes."""


@declare(
    "fetch",
    examples=(
        "enigmacli attest fetch --provider simulated",
        "enigmacli attest fetch --provider ias --url https://proxy.example --api-key-file key",
        "enigmacli attest fetch --provider dcap --url https://pccs.example:8081",
        "enigmacli attest fetch --provider dcap --offline DIR",
        "enigmacli attest fetch --provider dcap --quote quote.bin --out evidence.bin",
    ),
)
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
    help="Where it goes [default: <home>/attestation_cert.der, or attestation_combined.bin].",
)
@click.option(
    "--quote",
    "quote_file",
    metavar="FILE",
    help="Fetch collateral for this DCAP quote ('-': standard input), of whatever platform.",
)
@click.option(
    "--trim-padding", is_flag=True, help="Cut the zero bytes behind a quote that was padded."
)
@service_options
@account_options
@pass_services
def command(
    services: Services,
    purpose: str,
    out: Path | None,
    quote_file: str | None,
    *,
    trim_padding: bool,
) -> None:
    """Fetch evidence: a quote of the enclave, and what it is verified with.

    For EPID a report of an attestation service about the quote; for DCAP the quote with Intel's
    collateral, from the first server (--url) that has all of it, or from a folder (--offline).
    --quote fetches the collateral for a quote that was captured elsewhere.

    Safe to repeat: newer evidence takes the place of older. Nothing is judged here; attest
    verify and attest expiry say what came.
    """
    if quote_file is not None:
        _fetch_for_quote(services, quote_file, out, trim_padding=trim_padding)
        return
    if trim_padding:
        raise click.UsageError("--trim-padding is for --quote")
    fetched, facts = fetch_own(services, purpose)
    path = out or default_path(services, purpose, fetched.kind)
    following = f"{services.program} tx register auth {path}" if purpose == "registration" else ""
    _write(services, path, fetched, facts, following)


def default_path(services: Services, purpose: str, kind: str) -> Path:
    """Where evidence of this home's enclave is kept."""
    names = EPID_FILES if kind == EPID else DCAP_FILES
    return services.home.path / names[purpose]


def fetch_own(services: Services, purpose: str) -> tuple[Fetched, dict[str, str]]:
    """Fetch evidence of this home's enclave; also says what it is about.

    Raises:
        ConfigError: provider and policy do not belong together.
        NoRegistrationKeyError: there is no registration key yet.
        NoSeedError: there is no seed yet, whose keys bootstrap evidence is about.
        EnclaveError: the enclave refused to attest.
        EnigmaError: the service refused, did not answer, or answered nonsense.
    """
    check_provider(services)
    owner = _owner(services, purpose)
    _check_has_key(services, purpose)
    provider = services.config.attestation.provider
    with working(services, f"asking for evidence: {provider}, {kind_of(services)}"):
        fetched = fetch(services, purpose, owner)
    return fetched, {"purpose": purpose, "provider": provider, "owner": owner.hex()}


def _fetch_for_quote(
    services: Services, file: str, out: Path | None, *, trim_padding: bool
) -> None:
    from enclave.evidence import dcap_quote, foreign  # noqa: PLC0415 -- not paid by --help
    from enclave.evidence.containers import QuoteWithCollateral  # noqa: PLC0415
    from enigmacli.errors import ConfigError  # noqa: PLC0415

    provider = services.config.origins.get("attestation.provider")
    if str(provider) == "flag" and services.config.attestation.provider != DCAP:
        raise click.UsageError("--quote is for --provider dcap: IAS reports are about new quotes")
    if out is None:
        raise click.UsageError("--quote needs --out FILE: it is not this node's evidence")
    evidence = foreign.parse_any(inputs.read_input(file)).evidence
    if not isinstance(evidence, QuoteWithCollateral):
        raise ConfigError(f"{file} holds an IAS report, which needs no collateral")
    quote = dcap_quote.trim_padding(evidence.quote) if trim_padding else evidence.quote
    with working(services, "asking for the collateral of this quote"):
        fetched = dcap_services.fetch_for(services, quote)
    _write(
        services,
        out,
        Fetched(fetched.certificate, fetched.kind),
        {"purpose": "", "provider": DCAP, "owner": ""},
        f"{services.program} attest verify {out}",
    )


def _write(
    services: Services, path: Path, fetched: Fetched, facts: dict[str, str], following: str
) -> None:
    from enigmacli import home as homes  # noqa: PLC0415 -- not paid by --help

    homes.replace(path, fetched.certificate)
    document = {
        "path": str(path),
        **facts,
        "evidence_kind": fetched.kind,
        "sha256": hashlib.sha256(fetched.certificate).hexdigest(),
        "size_bytes": len(fetched.certificate),
    }
    emit(services, document, f"wrote {path}" + (f"\nnext: {following}" if following else ""))


def _owner(services: Services, purpose: str) -> bytes:
    from enigmacli.cli.accounts import acting_account  # noqa: PLC0415 -- not paid by --help
    from enigmacli.registration import NO_OWNER  # noqa: PLC0415

    if purpose == "bootstrap" or not services.policy.require_owner:
        return NO_OWNER
    return acting_account(services).account


def _check_has_key(services: Services, purpose: str) -> None:
    """Refuse before anybody is asked, where there is nothing to attest.

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
